# Two nodes whose line to Redis is bad: bytes are lost, changed, repeated, come
# late or were never sent, and connections end anywhere.  Every request is
# answered in time, no worker ends, and when the line is good again all is.
#
# CODR_WALK_SEED is what a walk printed, CODR_WALK_SECONDS how long it takes.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need spew wait_until);
use Codr::Nodes;
use Codr::Redis;
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes qw(sleep time);

need(qw(module helper /usr/bin/redis-server));

my $SEED = $ENV{CODR_WALK_SEED} // int rand 2**31;
my $SECONDS = $ENV{CODR_WALK_SECONDS} // 45;
my $SOCKETS = 6;

srand $SEED;
diag("CODR_WALK_SEED=$SEED");

my $real = Codr::Redis->new;
my $dir = tempdir('codr-line-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $dir;

sub one { return $_[ rand @_ ] }

# What becomes of bytes from Redis, mostly nothing: (bytes, whether the
# connection ends).
sub garbled {
    my ($bytes) = @_;
    my $x = rand;
    my $part = substr $bytes, 0, rand length $bytes;
    return ($bytes, 1) if $x < 0.02;
    return ($part,  1) if $x < 0.04;
    return ($part,  0) if $x < 0.045;
    return ($bytes . $bytes, 0) if $x < 0.055;
    return (join('', map { chr rand 256 } 1 .. rand 40) . $bytes, 0)
        if $x < 0.065;
    return ("*3\r\n\$7\r\nmessage\r\n\$3\r\nabc\r\n\$1\r\nx\r\n$bytes", 0)
        if $x < 0.07;
    return ("\$-1\r\n$bytes", 0) if $x < 0.075;
    substr $bytes, rand length $bytes, 1, chr rand 256 if $x < 0.085;
    sleep 0.2 if $x > 0.99;
    return ($bytes, 0);
}

# The line; a process of its own.
sub line {
    my ($listener) = @_;
    my $select = IO::Select->new($listener);
    my (%peer, %server);
    local $SIG{PIPE} = 'IGNORE';
    for (;;) {
        for my $s ($select->can_read) {
            if ($s == $listener) {
                my $client = $listener->accept;
                my $redis = IO::Socket::UNIX->new(Peer => $real->path);
                @peer{ $client, $redis } = ($redis, $client);
                $server{$redis} = 1;
                $select->add($client, $redis);
                next;
            }
            my $peer = $peer{$s} // next;
            my $end = !sysread $s, my $bytes, 65536;
            ($bytes, $end) = garbled($bytes)
                if !$end && $server{$s} && !-e "$dir/calm";
            syswrite $peer, $bytes if length $bytes;
            next if !$end;
            $select->remove($s, $peer);
            delete @peer{ $s, $peer };
            delete @server{ $s, $peer };
            close $_ for $s, $peer;
        }
    }
}

my $listener = IO::Socket::UNIX->new(Local => "$dir/redis", Listen => 32)
    or die "listen: $!";
chmod 0777, "$dir/redis";
my $line = fork // die "fork: $!";
line($listener) if $line == 0;

$redis = bless {}, 'Line';
sub Line::address {return "unix:$dir/redis"}

my @nodes = map { Codr::Nodes::node() } 1 .. 2;
ok($_->ready, 'a node is up') for @nodes;

my @key = (headers => ['X-API-Key: alice'], timeout => 60);
my (@jobs, @open, @answers, @ends);

sub watch {
    my ($client) = @_;
    my $end = $client->wait_for(qr/^(?:complete|error)$/, 90);
    push @ends, $end->{type};
    $client->drop;
}

my @STEPS = (
    [ 20, sub {
        my $answer = one(@nodes)->post('/jobs', { language => 'sh',
            code => one('echo a; sleep 1; echo b',
                'for i in 1 2 3; do echo $i; sleep 0.2; done;'
                . ' head -c 200000 /dev/zero') }, @key);
        push @jobs, $answer->{json} if $answer->{status} == 202;
        shift @jobs if @jobs > 20;
        return $answer;
    } ],
    [ 40, sub {
        my $job = @jobs ? one(@jobs)->{job_id} : '0' x 32;
        return one(@nodes)->get("/jobs/$job" . one('', '?wait=1', '/output',
            '/output?offset=3'), @key);
    } ],
    [ 5, sub {
        my $job = @jobs ? one(@jobs)->{job_id} : '0' x 32;
        return one(@nodes)->get("/jobs/$job", method => 'DELETE', @key);
    } ],
    [ 5, sub {
        my $ticket = one(@nodes)->post('/jobs/create', '{}', @key)->{json}
            // return;
        return one(@nodes)->post('/jobs', { language => 'sh', code => '',
            %{$ticket} });
    } ],
    [ 20, sub {
        my $job = @jobs ? one(@jobs) : return;
        my $kind = one(qw(attach_token view_token));
        my $client = one(@nodes)->ws(@key);
        $client->send(type => 'attach', job_id => $job->{job_id},
            $kind => $job->{$kind}, offset => int rand 5);
        push @open, $client;
        watch(shift @open) if @open > $SOCKETS;
        return;
    } ],
    [ 1, sub { kill HUP => one(@nodes)->pid; return } ],
);

my $sum = 0;
$sum += $_->[0] for @STEPS;

sub step {
    my $at = rand $sum;
    for (@STEPS) {
        my ($weight, $do) = @{$_};
        $at -= $weight;
        return $do->() if $at <= 0;
    }
    return;
}

my $until = time + $SECONDS;
while (time < $until) {
    my $answer = step() // next;
    push @answers, $answer->{status};
}
watch($_) for @open;

cmp_ok(scalar(grep { $_ < 300 } @answers), '>', 10, 'requests succeed');
is(join(' ', grep { !/^(?:200|202|204|401|404|503)$/ } @answers), '',
    'and are told when not');
cmp_ok(scalar @ends, '>', 5, 'jobs are watched');
is(join(' ', grep {/timeout/} @ends), '', 'to an end');

spew("$dir/calm", '');
for my $i (0, 1) {
    my ($here, $there) = @nodes[ $i, 1 - $i ];
    ok(wait_until(90, sub {
        my $job = $here->post('/jobs', { language => 'sh',
            code => 'echo end' }, @key)->{json}{job_id} // return;
        return wait_until(10, sub {
            ($there->get("/jobs/$job?wait=1", @key)->{json}{status} // '')
                eq 'completed'
                && $there->get("/jobs/$job/output", @key)->{body} eq "end\n";
        });
    }), 'a good line is used again');
}
for my $node (@nodes) {
    unlike($node->log, qr/(?:exited on|ended with) signal/, 'no worker ended');
    $node->finish;
}

kill KILL => $line;
waitpid $line, 0;
done_testing();
