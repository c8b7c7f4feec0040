# The Nth allocation of a worker, and of the broker, fails, for every N over
# the life of a job; or several in a row do.  Whatever fails: the client hears
# of an end, no process ends by itself, the sanitizers find nothing, the next
# job runs, nothing is left.  Needs the sanitizer build, in which there is
# t/asan/failing.c.
#
# CODR_MEMORY_SEED is what a run printed, CODR_MEMORY_SECONDS how long it takes;
# without the time for all of them they are picked at random.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(build need slurp wait_until);
use Codr::Hygiene;
use Codr::Nginx;
use Codr::Phases qw(next_job_runs role);
use JSON::PP ();
use List::Util qw(shuffle);
use Test::More;
use Time::HiRes qw(time);

need(qw(sanitized root module helper /usr/bin/nm));

my $SECONDS = $ENV{CODR_MEMORY_SECONDS} // 180;
my $TIMEOUT = 60;
my $SEED    = $ENV{CODR_MEMORY_SEED} // int rand 2**31;

srand $SEED;
diag("CODR_MEMORY_SEED=$SEED");

my $nginx = Codr::Nginx->new(languages => 0, log => 'notice',
    http => Codr::Phases::http(),
    location => 'codr_timeout 5s; codr_detach 5s;',
    server => 'location /jobs { codr_jobs; codr_timeout 5s; }');
ok($nginx->ready, 'the server is ready');

# Where a running executable has this variable; that takes a while.
my %address;

sub address {
    my ($pid, $name) = @_;
    return $address{$pid} //= look_up($pid, $name);
}

sub look_up {
    my ($pid, $name) = @_;
    my $file = readlink "/proc/$pid/exe";
    my ($offset) = map { /^([0-9a-f]+) \w \Q$name\E$/ ? hex $1 : () }
        `/usr/bin/nm '$file'`;
    no warnings 'portable';
    my ($base) = slurp("/proc/$pid/maps") =~ /^([0-9a-f]+)-.*\Q$file\E$/m;
    my ($type) = unpack 'x16v', slurp($file);
    return ($type == 3 ? hex $base : 0) + $offset;
}

sub poke {
    my ($pid, $left, $row) = @_;
    open my $memory, '+<:raw', "/proc/$pid/mem" or return;
    sysseek $memory, address($pid, 'codr_failing'), 0;
    syswrite $memory, pack 'qq', $left, $row or die "poke: $!";
}

sub left {
    my ($pid) = @_;
    open my $memory, '<:raw', "/proc/$pid/mem" or return 0;
    sysseek $memory, address($pid, 'codr_failing'), 0;
    sysread $memory, my $bytes, 8;
    return unpack 'q', $bytes // pack 'q', 0;
}

# What a client does: its end, or that there was none.
sub of_answer {
    my ($answer) = @_;
    return 'late' if $answer->{seconds} >= $TIMEOUT;
    return $answer->{json}{status} // $answer->{json}{code}
        // $answer->{status};
}

my %USE = (
    post => sub {
        return of_answer($nginx->post('/run', { language => 'sh',
            code => 'cat', stdin => 'x' x 3000 }, timeout => $TIMEOUT));
    },
    compile => sub {
        return of_answer($nginx->post('/run', { language => 'slow',
            code => 'cp /bin/true $1 # ' . rand },
            timeout => $TIMEOUT));
    },
    events => sub {
        return of_answer($nginx->post('/run', { language => 'sh',
            code => 'echo on' }, timeout => $TIMEOUT,
            headers => ['Accept: text/event-stream']));
    },
    socket => sub {
        my $ws = $nginx->ws(timeout => $TIMEOUT);
        return 'none' if $ws->{status} != 101;
        $ws->execute(language => 'sh', code => 'echo on; read x; echo $x');
        my $on = $ws->expect(qr/on/, $TIMEOUT);
        $ws->input("x\n") if $on;
        my $end = $ws->finish($TIMEOUT)->{status};
        return $end eq '(timeout)' ? 'late' : $end;
    },
    async => sub {
        my $answer = $nginx->post('/jobs', { language => 'sh',
            code => 'echo on' }, timeout => $TIMEOUT);
        my $id = $answer->{json}{job_id} // return of_answer($answer);
        $answer = $nginx->get("/jobs/$id?wait=10", timeout => $TIMEOUT);
        $nginx->get("/jobs/$id/output", timeout => $TIMEOUT);
        return of_answer($answer);
    },
    attach => sub {
        my $ws = $nginx->ws(timeout => $TIMEOUT);
        return 'none' if $ws->{status} != 101;
        $ws->execute(language => 'sh', detach => JSON::PP::true,
            code => 'echo on; read x; echo $x');
        $ws->expect(qr/on/, $TIMEOUT) or return $ws->finish(1)->{status};
        my ($started) = grep { $_->{type} eq 'started' } @{ $ws->{seen} };
        $ws->drop;
        $ws = $nginx->ws(timeout => $TIMEOUT);
        return 'none' if $ws->{status} != 101;
        $ws->execute(type => 'attach', job_id => $started->{job_id},
            attach_token => $started->{attach_token}, offset => 0);
        $ws->input("x\n");
        my $end = $ws->finish($TIMEOUT)->{status};
        return $end eq '(timeout)' ? 'late' : $end;
    },
);

my %find = (
    worker => sub { return ($nginx->workers)[0] },
    broker => sub { return role($nginx, 'broker') },
);

is(join(' ', map { $USE{$_}->() } qw(post socket async attach)),
    'ok ok completed ok', 'all works');
ok(wait_until(10, sub { !$nginx->job_processes }), 'and ends');
my $descriptors = Codr::Hygiene::descriptors($nginx);

# How many allocations it takes.
my $MANY = 1_000_000;
sub allocations {
    my ($role, $use) = @_;
    my $pid = $find{$role}->();
    poke($pid, $MANY, 1);
    $USE{$use}->();
    my $left = left($pid);
    poke($pid, 0, 0);
    return $MANY - $left;
}

my ($done, $left, %said) = (0, 0);
for my $role (qw(broker worker)) {
    my (@late, @ended, @stuck);
    my @ways = shuffle(map {
        my $use = $_;
        my $most = allocations($role, $use);
        map { ([ $use, $_, 1 ], [ $use, $_, 20 ]) } 1 .. $most;
    } sort keys %USE);
    my $end = time + $SECONDS / 2;
    while (my $way = shift @ways) {
        my ($use, $n, $row) = @{$way};
        my $pid = $find{$role}->();
        poke($pid, $n, $row);
        my $said = $USE{$use}->();
        if (($find{$role}->() // 0) == $pid) {
            poke($pid, 0, 0);
        } else {
            push @ended, "$use $n x $row";
        }
        $done++;
        $said{"$role: $said"}++;
        push @late, "$use $n x $row" if $said eq 'late';
        next_job_runs($nginx) or push @stuck, "$use $n x $row";
        last if time > $end;
    }
    $left += @ways;
    is(join(', ', @late), '', "$role: each client hears of an end");
    is(join(', ', @ended), '', "$role: it goes on");
    is(join(', ', @stuck), '', "$role: and so do jobs");
}

diag(join ', ', map {"$_ $said{$_}"} sort keys %said);
diag("$done failures; $left more were left out: no time");
cmp_ok($done, '>', 50, 'allocations have failed');
ok(wait_until(30, sub { !$nginx->job_processes }), 'no job is left');
my $now;
ok(wait_until(30, sub {
    $now = Codr::Hygiene::descriptors($nginx);
    return $now <= $descriptors;
}), 'no descriptor of the helper is left') or diag("$now, were $descriptors");
$nginx->finish(expected =>
    qr/malloc\(|calloc\(|posix_memalign\(|memory|codr: /i);
done_testing();
