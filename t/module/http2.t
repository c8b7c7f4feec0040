# HTTP/2: what one connection with many streams can do to jobs and to nginx.  A
# stream that is reset takes its job with it, one that is not read stops its
# own, limits count streams as they count connections.

use strict;
use warnings;

use Codr::Client;
use Codr::H2;
use Codr::Host qw(need slurp wait_until);
use Codr::Nginx;
use List::Util qw(sum);
use Test::More;
use Time::HiRes qw(sleep time);

need(qw(module helper));
plan(skip_all => 'nginx has no HTTP/2')
    if `@{[ Codr::Host::nginx() ]} -V 2>&1` !~ /with-http_v2_module/;

my $SH = 'codr_language sh { source main.sh; run /bin/sh $source;'
    . ' timeout 60s; env_live WATCHED=yes; }';

my $nginx = Codr::Nginx->new(listen => 'http2', http => <<"CONF",
    $SH codr_max_jobs 4; codr_queue 100;
CONF
    locations => 0, server => <<'CONF2');
    location = /run { codr_exec; codr_output 64m; }
    location = /two { codr_exec; codr_limit_jobs all jobs=2; }
    location = /metrics { codr_status; }
CONF2

my $SSE = 'text/event-stream';
my $SLEEP = 'echo on; sleep 60';
my $FLOOD = 'while :; do echo ' . 'x' x 1000 . '; done';

sub connection { return Codr::H2->connect(port => $nginx->port, @_) }

my $watch = connection();
sub metric {
    my ($name) = @_;
    my $page = $watch->answer($watch->request(path => '/metrics'))->{body};
    return $page =~ /^\Q$name\E (\d+)$/m ? $1 : -1;
}

sub running { return scalar $nginx->job_processes }

# No job is left.
sub nothing {
    my ($name) = @_;
    ok(wait_until(20, sub { !running()
        && metric('codr_jobs_queued') == 0 }), $name);
}

sub sleeping {
    my ($n) = @_;
    return wait_until(20, sub {
        $n == grep { slurp("/proc/$_/comm") eq "sleep\n" }
            $nginx->job_processes;
    });
}

# Bytes that programs have written.
sub written {
    return sum(0, map { slurp("/proc/$_/io") =~ /^wchar: (\d+)/m }
        $nginx->job_processes);
}

sub resident {
    my ($pid) = $nginx->workers;
    return slurp("/proc/$pid/status") =~ /^VmRSS:\s+(\d+)/m ? $1 : 0;
}

ok(wait_until(20, sub { metric('codr_helper_up') == 1 }), 'the helper is up');

subtest 'an answer' => sub {
    my $h2 = connection();
    my @ids = map { $h2->job(language => 'sh', code => "echo $_") } 1 .. 5;
    is($h2->answer($ids[$_ - 1])->{json}{stdout}, "$_\n", "of stream $_")
        for 1 .. 5;
    my $answer = $h2->answer($h2->job(language => 'none', code => 'x'));
    is("$answer->{status} $answer->{json}{code}", '400 unknown_language',
        'a refusal');
};

subtest 'a stream that is reset' => sub {
    my $h2 = connection();
    for my $accept ('application/json', $SSE) {
        my $id = $h2->job(language => 'sh', code => $SLEEP,
            accept => $accept);
        ok(sleeping(1), 'a program runs');
        $h2->reset_stream($id);
        nothing("$accept: a reset ends it");
    }
    my @ids = map { $h2->job(language => 'sh', code => $SLEEP) } 1 .. 10;
    ok(wait_until(20, sub { metric('codr_jobs_queued') == 6 }),
        'others wait for their turn');
    $h2->reset_stream($_) for reverse @ids;
    nothing('they go, too');
    my ($bytes, $id) = $h2->request_frames(method => 'POST', path => '/run',
        headers => [ [ 'content-type', 'application/json' ] ]);
    $h2->write($bytes);
    $h2->data($id, '{"language":"sh","code":"sleep 60');
    $h2->reset_stream($id);
    is($h2->answer($h2->job(language => 'sh', code => 'echo on'))
        ->{json}{stdout}, "on\n", 'and the connection goes on');
    nothing('of half a message comes nothing');
};

subtest 'a connection that goes' => sub {
    my $h2 = connection();
    $h2->job(language => 'sh', code => $SLEEP, accept => $_)
        for ('application/json', $SSE) x 4;
    ok(sleeping(4), 'takes');
    $h2->drop;
    nothing('all its jobs with it');
};

subtest 'a stream that is not read' => sub {
    my $h2 = connection(window => 0);
    my $before = resident();
    my $id = $h2->job(language => 'sh', code => $FLOOD, accept => $SSE);
    my $stream = $h2->stream($id);
    ok($h2->until(20, sub { $stream->{status} }), 'events');
    ok(wait_until(20, sub {
        my $was = written();
        sleep 0.2;
        return $was && written() == $was;
    }), 'the program is held');
    is(length $stream->{body}, 0, 'nothing is sent beyond a window');
    cmp_ok(resident() - $before, '<', $ENV{CODR_SANITIZER} ? 65536 : 8192,
        'nor kept');
    my $other = $h2->job(language => 'sh', code => 'echo on');
    $h2->open_window($other, 1 << 20);
    is($h2->answer($other)->{json}{stdout}, "on\n", 'other streams are served');
    $h2->open_window($id, 1);
    ok($h2->until(20, sub { length $stream->{body} }), 'a byte is a byte');
    is($stream->{body}, 'e', 'the first one');
    $h2->open_window($id, 1 << 20);
    ok($h2->until(20, sub { length $stream->{body} > 1 << 20 }),
        'who reads again gets more');
    like($stream->{body}, qr/^event: started\ndata: .*\n\nevent: /,
        'of events');
    $h2->reset_stream($id);
    nothing('and it ends');
};

subtest 'many streams' => sub {
    my $h2 = connection();
    my @ids = map {
        $h2->job(language => 'sh', path => '/two', code => $SLEEP);
    } 1 .. 20;
    ok($h2->until(20, sub { 18 == grep { $_->{ended} }
        map { $h2->stream($_) } @ids }), 'count as many clients would');
    is_deeply([ sort map { $h2->stream($_)->{status} // () } @ids ],
        [ (429) x 18 ], 'and are refused alike');
    $h2->drop;
    nothing('the others go with the connection');
};

$watch->drop;
$nginx->finish;
done_testing();
