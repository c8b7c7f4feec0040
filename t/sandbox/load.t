# Many at once: idle sockets cost little, a burst is queued in order and no
# further than the queue, people at prompts keep nobody from running.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need slow slurp wait_until);
use Codr::Nginx;
use Test::More;
use Time::HiRes qw(time);

need(qw(module helper /usr/bin/python3));

my $SOCKETS = 2000;

# A burst of POST requests: eight run, a hundred wait, the rest are refused.
# The first eight run until all have come.

my $nginx = Codr::Nginx->new(
    http => 'codr_max_jobs 100 batch=8; codr_queue 100 timeout=60s;');
ok($nginx->ready, 'the server is ready');

my @clients;
for my $n (1 .. 200) {
    my $client = Codr::Client->connect(port => $nginx->port);
    $client->send_request(method => 'POST', path => '/run',
        headers => ['Content-Type: application/json'],
        body => Codr::Client::encode({ language => 'python',
            args => ["$n"], code => <<'END' }));
import sys, time
print(sys.argv[1], time.monotonic())
time.sleep(5 if int(sys.argv[1]) <= 8 else 0.25)
END
    push @clients, $client;
}
my $start = time;
my $other = $nginx->get('/languages');
cmp_ok(time - $start, '<', 1 * slow(), 'meanwhile the server answers');

my (%answers, @ran);
for my $client (@clients) {
    my $answer = $client->answer(60);
    my $code = $answer->{json}{status} // $answer->{json}{code} // 'none';
    $answers{"$answer->{status} $code"}++;
    push @ran, [ $1, $2, $answer->{json}{queue_time} ]
        if ($answer->{json}{stdout} // '') =~ /^(\d+) ([\d.]+)$/;
    ok($answer->{headers}{'retry-after'}, 'a refusal says when to come again')
        if $answer->{status} == 503 && $answers{"$answer->{status} $code"} == 1;
}
is_deeply(\%answers, { '200 ok' => 108, '503 busy' => 92 },
    'eight run, a hundred wait, ninety-two are told that it is busy');

# Begun in the order of coming, as far as eight side by side show it.
my $late = 0;
for my $i (8 .. $#ran) {
    $late++ if grep { $_->[1] > $ran[$i][1] } @ran[0 .. $i - 8];
}
is($late, 0, 'who came first was first');
my @waited = grep { $_->[2] > 0.2 } @ran;
cmp_ok(scalar @waited, '>=', 90, 'and the wait is in the figures');
@clients = ();
$nginx->finish;

# People at prompts.

$nginx = Codr::Nginx->new(http => 'codr_max_jobs 100 batch=4;');
$nginx->ready;
my @people = map { $nginx->ws } 1 .. 60;
$_->execute(language => 'python', code => "print('got ' + input('> '))\n")
    for @people;
is((grep { $_->expect(qr/> $/, 60) } @people), 60, 'sixty wait at a prompt');
$start = time;
my $job = $nginx->run_job(language => 'python', code => 'print("me too")');
is($job->{stdout}, "me too\r\n", 'one more runs');
cmp_ok(time - $start, '<', 2 * slow(), 'and soon');
is($nginx->post('/run', { language => 'python', code => 'print(1)' })
    ->{json}{stdout}, "1\n", 'so does a POST');
$_->input("it\n") for @people;
is((grep { $_->finish->{stdout} =~ /got it/ } @people), 60,
    'and each of them goes on');
@people = ();
ok(wait_until(5, sub { !$nginx->job_processes }), 'then nothing runs');
$nginx->finish;

# Idle sockets.

SKIP: {
    my ($limit) = slurp('/proc/self/limits') =~ /^Max open files\s+(\d+)/m;
    skip "needs $SOCKETS descriptors", 3 if $limit < $SOCKETS + 100;
    $nginx = Codr::Nginx->new(main => 'worker_rlimit_nofile 5000;');
    $nginx->ready;
    $nginx->run_job(language => 'python', code => 'print(1)');
    my ($worker) = $nginx->workers;
    my $rss = sub { slurp("/proc/$worker/status") =~ /^VmRSS:\s+(\d+)/m; $1 };
    my $before = $rss->();
    my @idle = map { $nginx->ws } 1 .. $SOCKETS;
    is((grep { $_->{status} == 101 } @idle), $SOCKETS, 'all of them stand');
    my $each = ($rss->() - $before) / $SOCKETS;
    cmp_ok($each, '<=', 20, 'an idle socket costs at most 20 KB');
    diag(sprintf '%.1f KB an idle socket', $each);
    is($nginx->run_job(language => 'python', code => 'print(2)')->{status},
        'ok', 'and a job runs beside them');
    @idle = ();
    $nginx->finish;
}

done_testing();
