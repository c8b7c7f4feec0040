# HTTP/2 for longer than t/module/http2.t: streams that are read slowly or
# never, resets without end while jobs run, and a reload below all that.

use strict;
use warnings;

use Codr::Client;
use Codr::H2;
use Codr::Host qw(need slurp wait_until);
use Codr::Nginx;
use Test::More;
use Time::HiRes qw(sleep time);

need(qw(module helper));
plan(skip_all => 'nginx has no HTTP/2')
    if `@{[ Codr::Host::nginx() ]} -V 2>&1` !~ /with-http_v2_module/;

my $nginx = Codr::Nginx->new(listen => 'http2', locations => 0,
    http => 'codr_language sh { source main.sh; run /bin/sh $source;'
    . ' timeout 60s; } codr_max_jobs 4; codr_queue 1000;'
    . ' keepalive_requests 100000;', server => <<'CONF');
    location = /run { codr_exec; }
    location = /short { codr_exec; codr_output 64m; send_timeout 1s; }
    location = /large { codr_exec; codr_output 2m; }
    location /jobs { codr_jobs; }
    location = /metrics { codr_status; }
CONF

my $SSE = 'text/event-stream';
my $FLOOD = 'while :; do echo ' . 'x' x 1000 . '; done';

sub connection { return Codr::H2->connect(port => $nginx->port, @_) }

sub metric {
    my ($name) = @_;
    my $h2 = connection();
    my $page = $h2->answer($h2->request(path => '/metrics'))->{body};
    $h2->drop;
    return $page =~ /^\Q$name\E (\d+)$/m ? $1 : -1;
}

# No job is left.
sub nothing {
    my ($name) = @_;
    ok(wait_until(30, sub {
        metric('codr_jobs_queued') == 0 && !$nginx->job_processes;
    }), $name);
}

# Of the one worker: memory in KB, and descriptors.
sub worker { return ($nginx->workers)[0] }
sub resident {
    return slurp('/proc/' . worker() . '/status') =~ /^VmRSS:\s+(\d+)/m
        ? $1 : 0;
}
sub memory_below {
    my ($most, $name) = @_;
  SKIP: {
        skip 'a sanitizer has its own memory', 1 if $ENV{CODR_SANITIZER};
        ok(wait_until(10, sub { resident() < $most }), $name)
            or diag(resident(), " KB, not $most");
    }
}
sub descriptors { return scalar(() = glob '/proc/' . worker() . '/fd/*') }

ok(wait_until(20, sub { metric('codr_helper_up') == 1 }), 'the helper is up');

subtest 'a stream that is never read' => sub {
    my $h2 = connection(window => 0);
    my @ids = map { $h2->job(language => 'sh', path => '/short',
        code => $_, accept => $SSE) } $FLOOD, 'echo on';
    push @ids, $h2->job(language => 'sh', path => '/short',
        code => 'echo on');
    for (0 .. 2) {
        my $stream = $h2->stream($ids[$_]);
        ok($h2->until(20, sub { defined $stream->{reset} }),
            "stream $_ is given up");
    }
    nothing('with its job');
};

subtest 'a stream that is read slowly' => sub {
    my $h2 = connection(window => 0);
    my $id = $h2->job(language => 'sh', path => '/short', code => $FLOOD,
        accept => $SSE);
    my $stream = $h2->stream($id);
    ok($h2->until(20, sub { $stream->{status} }), 'events');
    my $end = time + 3;
    while (time < $end && !defined $stream->{reset}) {
        my $had = length $stream->{body};
        $h2->open_window($id, 4000);
        $h2->until(5, sub { length $stream->{body} == $had + 4000
            || defined $stream->{reset} });
        $h2->take(0.2);
    }
    ok(!defined $stream->{reset}, 'is not given up');
    $h2->reset_stream($id);
    nothing('before it is reset');
};


# A request, its body and its end in one packet, again and again: each begins
# a job that nobody wants any more.
sub resets {
    my ($n) = @_;
    my $h2 = connection();
    my $sent = 0;
    while ($sent < $n) {
        my $bytes = '';
        for (1 .. 50) {
            my ($frames, $id) = $h2->job_frames(language => 'sh',
                code => 'sleep 60', accept => $_ % 2 ? $SSE : 'text/plain');
            $bytes .= $frames . Codr::H2::frame(Codr::H2::RST_STREAM, 0, $id,
                pack 'N', Codr::H2::CANCEL);
            delete $h2->{streams}{$id};
        }
        $sent += 50;
        if (!$h2->write($bytes) || !$h2->take || $h2->{goaway}) {
            $h2->drop;          # nginx has enough of it
            $h2 = connection();
        }
    }
    $h2->drop;
}

subtest 'resets without end' => sub {
    resets(2000);
    nothing('no job is left');
    my ($memory, $files, $helper) = (resident(), descriptors(),
        $nginx->helper_descriptors);
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        resets(10_000);
        require POSIX;
        POSIX::_exit(0);
    }
    my $h2 = connection();
    my ($asked, $answered) = (0, 0);
    do {
        $asked++;
        my $answer = $h2->answer($h2->job(language => 'sh', code => 'echo on'));
        $answered++ if ($answer->{json}{stdout} // '') eq "on\n";
    } until waitpid($pid, 1) == $pid;
    is($answered, $asked, 'others are served meanwhile');
    $h2->drop;
    nothing('no job is left of five times as many');
    memory_below($memory + 4096, 'nor memory');
    ok(wait_until(10, sub { descriptors() <= $files + 2 }), 'nor descriptors');
    ok(wait_until(10, sub { $nginx->helper_descriptors <= $helper + 8 }),
        'nor those of the helper');
};

subtest 'answers that are not read' => sub {
    my $h2 = connection(window => 0);
    my $before = resident();
    my @ids = map {
        $h2->job(language => 'sh', path => '/large',
            code => 'head -c 2000000 /dev/zero | tr "\0" x');
    } 1 .. 40;
    ok($h2->until(60, sub {
        40 == grep { $_->{status} } map { $h2->stream($_) } @ids;
    }), 'wait');
    memory_below($before + 40 * 3000, 'and are kept once');
    $h2->drop;
    memory_below($before + 20_000, 'until they can be given to nobody');
};

subtest 'who waits for a record' => sub {
    my $h2 = connection();
    my $id = $h2->answer($h2->job(path => '/jobs', language => 'sh',
        code => 'sleep 60'))->{json}{job_id};
    ok($id, 'a job');
    my @waits = map { $h2->request(path => "/jobs/$id?wait=60") } 1 .. 50;
    is($h2->answer($h2->request(path => "/jobs/$id"))->{json}{status},
        'processing', 'is watched by many streams');
    $h2->reset_stream($_) for @waits[ 0 .. 48 ];
    is($h2->answer($h2->request(path => "/jobs/$id", method => 'DELETE'))
        ->{status}, 204, 'that go, and it is stopped');
    is($h2->answer($waits[49])->{json}{status}, 'completed',
        'who stayed hears of it');
    $h2->drop;
    nothing('and nothing is left');
};

subtest 'a reload' => sub {
    my $h2 = connection();
    my @ids = map { $h2->job(language => 'sh', accept => $_,
        code => 'echo on; sleep 2; echo off') } ('text/plain', $SSE) x 2;
    ok(wait_until(20, sub { $nginx->job_processes >= 4 }), 'jobs run');
    my ($old) = $nginx->workers;
    ok($nginx->reload, 'reload');
    like($h2->answer($_)->{body}, qr/off/, 'their streams end well') for @ids;
    ok(wait_until(20, sub { !kill 0, $old }), 'then the worker leaves');
    nothing('and nothing is left');
};

$nginx->finish;
done_testing();
