# A random walk over a real nginx: sessions that are partly right, partly
# wrong, cut off anywhere, while workers and roles of the helper are killed and
# configurations are loaded again.  No process may end by itself, no log may
# hold an alert or a sanitizer's report, and afterwards everything works and
# nothing is left.  `make asan TESTS=t/long/walk.t` does it with sanitizers.
#
# CODR_WALK_SEED is what a walk printed, CODR_WALK_SECONDS how long it takes.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need slurp wait_until);
use Codr::Nginx;
use Test::More;
use Time::HiRes qw(time);

need(qw(root module helper /usr/bin/python3));

my $SEED = $ENV{CODR_WALK_SEED} // int rand 2**31;
my $SECONDS = $ENV{CODR_WALK_SECONDS} // 90;
my $SOCKETS = 12;

srand $SEED;
diag("CODR_WALK_SEED=$SEED");

my $nginx = Codr::Nginx->new(workers => 2, path => 'pool',
    server => 'location /jobs { codr_jobs; }',
    http => "codr_detach 5s; codr_timeout 5s input=5s max=10s;\n"
        . "codr_max_jobs 20 batch=6; codr_queue 30 timeout=5s;\n"
        . 'codr_memory 64m; codr_job_ttl 30s; codr_idle_timeout 5s;');
ok($nginx->ready, 'it begins');

sub one { return $_[ rand @_ ] }

my @PROGRAMS = (
    'print(1)', 'print(input())', 'import time; time.sleep(3)',
    'import sys; sys.stdout.write("x" * 300000)', 'while True: pass',
    'while True: print("y" * 1000)', 'import os; os.fork(); os.abort()',
    'import sys; print(sys.stdin.read()); sys.exit(3)',
    "for i in range(9): print('\x{1f600}' * 99, flush=True)",
    'x = [b"x" * 1000000 for i in range(1000)]', '(', "\0", '',
    'import sys; sys.stderr.write("e" * 70000); print("\xff" * 5)',
);

sub message {
    my %job = (type => 'execute', language => one(qw(python PY c none), ''),
        code => one(@PROGRAMS));
    my %more = (tty => one(\0, \1, { cols => int rand 1200, rows => 5 }, 7),
        stdin => 'x' x rand 3000, tag => one('t', "\n", 'x' x 200),
        args => one([], ['a'], ['a' x 5000], 'a'), detach => \1,
        limits => { one(qw(wall_time cpu_time memory_bytes output_bytes
            processes nothing)) => one(1, 0.5, 0, -1, 1e9, 'x') },
        files => [ map { { name => one('a.py', '../x', 'a/b', 'main.py'),
            content => 'YQ==', encoding => one('utf8', 'base64', 'x') } }
            1 .. rand 4 ]);
    for (keys %more) { $job{$_} = $more{$_} if rand() < 0.2 }
    $job{language} = 'python' if rand() < 0.7;
    return \%job;
}

# Tokens of jobs, to join them.
my @known;

sub command {
    return { type => 'input', data => one("1\n", 'x' x rand 9000, "\x03") }
        if rand() < 0.4;
    return one({ type => 'eof' }, { type => 'stop' },
        { type => 'resize', cols => one(1, 80, 0, 'x'), rows => 24 },
        { type => 'signal', signal => one(qw(SIGINT SIGKILL SIGWHAT)) },
        { type => 'ping', n => rand }, { type => one('', 'x', "\0") },
        { type => 'attach', %{ @known ? one(@known) : {} },
            offset => one(0, 5, -1, 1e15, 'x') });
}

# Bytes for a socket: mostly a good frame.
sub bytes {
    my ($client, $message) = @_;
    my $text = Codr::Client::encode($message);
    substr $text, rand length $text, 1, chr rand 256 if rand() < 0.05;
    my %wrong = rand() < 0.05
        ? (one(qw(op fin rsv mask)) => int rand 16) : ();
    my $frame = $client->frame($text, %wrong);
    return rand() < 0.03 ? substr $frame, 0, rand length $frame : $frame;
}

my (@open, %did);

sub listen_to {
    my ($client) = @_;
    $client->fill(0) // return;
    while (my $frame = $client->_parse) {
        my $message = $frame->{op} == 1
            ? Codr::Client::decode($frame->{data}) : undef;
        $did{ $message->{type} }++ if ref $message;
        push @known, { job_id => $message->{job_id},
            attach_token => $message->{attach_token} }
            if ref $message && $message->{attach_token};
        shift @known if @known > 20;
    }
}

# A spawner tries in children what the kernel has: one that is killed says that
# there is none of it.
sub is_trial {
    my ($pid, $role) = @_;
    my ($parent) = slurp("/proc/$pid/stat") =~ /\) \S (\d+)/ or return 1;
    return ($role->{$parent} // '') eq $role->{$pid};
}

# What a step of the walk is, and how often.
my @STEPS = (
    [ 30, open => sub {
        return if @open >= $SOCKETS;
        my $client = eval { $nginx->ws(timeout => 3,
            protocols => one([], ['codr.v1'], ['codr.v1.bin'])) } or return;
        push @open, $client if $client->{status} == 101;
    } ],
    [ 60, execute => sub {
        my $client = one(@open) or return;
        $client->write(bytes($client, message()), 0.2);
    } ],
    [ 90, command => sub {
        my $client = one(@open) or return;
        $client->write(bytes($client, command()), 0.2);
    } ],
    [ 10, noise => sub {
        my $client = one(@open) or return;
        $client->write(join('', map { chr rand 256 } 1 .. rand 50), 0.2);
    } ],
    [ 20, leave => sub {
        my $client = splice @open, rand @open, 1 or return;
        $client->send_close(one(1000, 1001, 3000, 7)) if rand() < 0.5;
        $client->drop;
    } ],
    [ 20, listen => sub { listen_to($_) for @open } ],
    [ 10, post => sub {
        my $answer = eval { $nginx->post(one('/run', '/jobs'), message(),
            timeout => one(0.2, 3), headers => rand() < 0.3
                ? ['Accept: text/event-stream'] : []) } or return;
        $did{"post $answer->{status}"}++;
    } ],
    [ 10, look => sub {
        my $job = @known ? one(@known)->{job_id} : '0' x 32;
        my $path = "/jobs/$job" . one('', '/output', '/output?offset=3',
            '?wait=1', '/x');
        eval { $nginx->get($path, timeout => 2,
            method => one(qw(GET GET DELETE POST))) };
    } ],
    [ 1, 'kill a worker' => sub {
        kill KILL => one($nginx->workers) // return;
    } ],
    [ 1, 'kill a role' => sub {
        my %role = %{ $nginx->helpers };
        kill KILL => one(grep { $role{$_} =~ /broker|spawner|validator/
            && !is_trial($_, \%role) } keys %role) // return;
    } ],
    [ 1, reload => sub { kill HUP => $nginx->pid } ],
);

my $sum = 0;
$sum += $_->[0] for @STEPS;

sub step {
    my $at = rand $sum;
    for (@STEPS) {
        my ($weight, $name, $do) = @{$_};
        $at -= $weight;
        next if $at > 0;
        $did{$name}++;
        return $do->();
    }
}

my $end = time + $SECONDS;
step() while time < $end;
$_->drop for @open;

cmp_ok($did{started} // 0, '>', 0, 'jobs have begun');
cmp_ok($did{complete} // 0, '>', 0, 'jobs have ended');
note(join ', ', map {"$_: $did{$_}"} sort keys %did);

ok($nginx->ready(60), 'it is healthy afterwards');
my $answer;
ok(wait_until(60, sub {
    $answer = $nginx->post('/run', { language => 'python',
        code => 'print(6 * 7)' }, timeout => 20);
    return ($answer->{json}{stdout} // '') eq "42\n";
}), 'and runs programs') or diag("$answer->{status} $answer->{body}");
ok(wait_until(60, sub { !$nginx->job_processes }),
    'no job goes on that nobody wants');

# A process that was killed is an alert; one that ended by itself is a defect.
my $killed = qr/(?:exited on|ended with) signal/;
unlike($nginx->log, qr/$killed (?!9\b)\d/,
    'no process ended by a signal of its own');
$nginx->finish(expected => qr/$killed 9\b/);
done_testing();
