# Jobs that outlive their socket: detached, joined again without a byte lost
# or repeated, taken over, watched; and what becomes of those nobody joins.

use strict;
use warnings;

use Codr::Client;
use Codr::Follow;
use Codr::Host qw(need wait_until);
use Codr::Nginx;
use Digest::SHA qw(sha256_hex);
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

need(qw(module helper /usr/bin/python3));

my ($true, $false) = (JSON::PP::true, JSON::PP::false);
my %wait = (language => 'python', code => "print('ready')\ninput()\n");

my $nginx = Codr::Nginx->new(workers => 2, http => 'codr_results 1m;',
    server => <<'END');
    location = /soon { codr_exec; codr_detach 1s; }
    location = /never { codr_exec; codr_detach 0; }
    location = /much { codr_exec; codr_output 64m; codr_timeout 60s; }
END
$nginx->ready;

# A job that waits at its prompt: (socket, what "started" said).
sub begin {
    my (%o) = @_;
    my $ws = $nginx->ws(path => delete $o{path} // '/run');
    $ws->execute(%wait, detach => $true, %o);
    $ws->expect(qr/ready\r\n/) or return $ws;
    my ($started) = grep { $_->{type} eq 'started' } @{ $ws->{seen} };
    return ($ws, $started);
}

# Joins it: kind is "attach" or "view".
sub join_job {
    my ($started, $kind, %o) = @_;
    my $ws = $nginx->ws;
    $ws->execute(type => 'attach', job_id => $started->{job_id},
        "${kind}_token" => $started->{"${kind}_token"}, %o);
    return $ws;
}

# The first answer to an attach.
sub answer {
    my ($ws) = @_;
    my $m = $ws->recv;
    return $m->{code} // $m->{type};
}


subtest 'one that is joined again' => sub {
    my ($ws, $started) = begin(tag => 'a tag');
    my $end = $ws->{seen}[-1]{end};
    $ws->drop;
    $ws = join_job($started, 'attach', offset => $end);
    my $again = $ws->recv;
    is($again->{type}, 'started', 'it is');
    is($again->{$_}, $started->{$_}, "with its $_")
        for qw(job_id attach_token view_token tag language);
    is($again->{offset}, $end, 'and says where output goes on');
    is_deeply($again->{limits}, $started->{limits}, 'and which limits are in'
        . ' force');
    $ws->send(type => 'resize', cols => 100, rows => 50);
    $ws->input("x\n");
    my $job = $ws->finish;
    is($job->{status}, 'ok', 'it has input and an end');
    is($job->{complete}{tag}, 'a tag', 'with its tag');
    is($ws->run_job(language => 'python', code => 'print(1)')->{status}, 'ok',
        'and the socket runs the next one');
    $ws->send(type => 'attach', job_id => $started->{job_id},
        attach_token => $started->{attach_token});
    $ws->{job} = [];
    $job = $ws->finish;
    is($job->{stdout}, "ready\r\n", 'what has ended can be read once more');
    is($job->{complete}{job_id}, $started->{job_id}, 'with its end');
};


subtest 'a bad line' => sub {
    my @pieces = Codr::Follow::pieces(1000);
    my @text = Codr::Follow::text(@pieces);
    my $got = Codr::Follow::follow($nginx,
        { Codr::Follow::message(4, @pieces) }, drops => 60);
    is($got->{complete}{status} // $got->{error}{code}, 'ok', 'the job ends');
    cmp_ok($got->{drops}, '>=', 30, "after $got->{drops} broken lines");
    is($got->{gaps}, 0, 'output goes on where it ended');
    is(sha256_hex($got->{text}[0]), sha256_hex($text[0]),
        'not a byte of stdout is lost or repeated');
    is(sha256_hex($got->{text}[1]), sha256_hex($text[1]), 'nor of stderr');
};


subtest 'a second one takes over' => sub {
    my ($ws, $started) = begin();
    my $second = join_job($started, 'attach');
    my $told = $ws->wait_for('(close)');
    is($told->{code}, 4001, 'the first is told');
    ok($second->expect(qr/ready/), 'the second has the output');
    my $third = join_job($started, 'attach');
    is($second->wait_for('(close)')->{code}, 4001, 'until a third comes');
    $third->input("x\n");
    is($third->finish->{status}, 'ok', 'which sees the end');
};


subtest 'viewers' => sub {
    my ($ws, $started) = begin();
    my @viewers = map { join_job($started, 'view') } 1 .. 16;
    my $first = $viewers[0]->recv;
    is($first->{type}, 'started', 'one comes');
    ok(!exists $first->{attach_token}, 'and cannot take over');
    $_->expect(qr/ready/) for @viewers;
    is(answer(join_job($started, 'view')), 'busy', 'sixteen are enough');

    my @said = map {
        $viewers[1]->send(@{$_});
        $viewers[1]->wait_for('notice')->{code};
    } [ type => 'input', data => "x\n" ], [ type => 'eof' ],
        [ type => 'stop' ], [ type => 'signal', signal => 'SIGINT' ],
        [ type => 'resize', cols => 10, rows => 10 ];
    is("@said", 'read_only ' x 4 . 'read_only', 'they only read');
    $viewers[1]->send(type => 'execute', %wait);
    is($viewers[1]->wait_for('notice')->{code}, 'already_running',
        'it is the socket\'s job');

    (pop @viewers)->drop for 1 .. 3;
    ok(wait_until(5, sub {
        answer(join_job($started, 'view')) eq 'started';
    }), 'one that leaves makes room');
    $ws->input("x\n");
    is($ws->finish->{status}, 'ok', 'the job did not notice');
    is(join(' ', map { $_->finish->{status} } @viewers), 'ok ' x 12 . 'ok',
        'and all see its end');
};


subtest 'who does not read' => sub {
    my $size = 20_000_000;
    my $ws = $nginx->ws(path => '/much');
    $ws->execute(language => 'python', tty => $false,
        code => "import sys\ninput()\nfor i in range($size // 1000):\n"
        . "    sys.stdout.write('%9d' % i + 'x' * 990 + chr(10))\n");
    my $started = $ws->wait_for('started');
    my $lazy = join_job($started, 'view');
    is($lazy->recv->{type}, 'started', 'a viewer who does not read');
    my $eager = join_job($started, 'view');
    is($eager->recv->{type}, 'started', 'one who does');
    $ws->input("\n");
    my $job = $ws->finish(60);
    is($job->{status}, 'ok', 'the job is not held up');
    is(length $job->{stdout}, $size, 'its client has everything');
    $job = $lazy->finish(60);
    is($job->{status}, 'ok', 'the viewer sees the end');
    cmp_ok(length $job->{stdout}, '<', $size, 'not all of the output');
    my ($lost) = @{ $job->{notices} };
    is($lost->{code}, 'output_lost', 'and is told so');
    cmp_ok($lost->{offset}, '>', 0, 'and where it goes on');
    is($job->{messages}[-2]{end}, $size, 'up to the last byte');
    $eager->drop;
};


subtest 'what is not found' => sub {
    my ($ws, $started) = begin();
    my %good = (job_id => $started->{job_id},
        attach_token => $started->{attach_token});
    my $other = 'f' x 32;
    for (
        [ 'an unknown job', job_id => $other ],
        [ 'a wrong token', attach_token => $other ],
        [ 'the other kind of token', attach_token => $started->{view_token} ],
        [ 'a short id', job_id => 'ff' ],
        [ 'an id in capitals', job_id => uc $started->{job_id} ],
        [ 'a token of zeros', attach_token => "\0" x 32 ],
        [ 'an empty token', attach_token => '' ],
    ) {
        my ($name, @fields) = @{$_};
        my $client = $nginx->ws;
        $client->send(type => 'attach', %good, @fields);
        my $m = $client->recv;
        is("$m->{type} $m->{code} $m->{message}",
            'error not_found there is no such job', $name);
    }
    my $client = $nginx->ws;
    for (
        [ 'no id', job_id => undef ], [ 'a number', job_id => 7 ],
        [ 'no token', attach_token => undef ],
        [ 'an offset below 0', offset => -1 ],
        [ 'a fraction', offset => 1.5 ], [ 'a text', offset => '0' ],
    ) {
        my ($name, @fields) = @{$_};
        $client->send(type => 'attach', %good, @fields);
        my $m = $client->recv;
        is("$m->{type} $m->{code}", 'notice bad_message', $name);
    }
    $client->send(type => 'attach', %good, offset => 1_000_000);
    is($client->recv->{offset}, 7, 'an offset beyond the end is the end');
    for my $number ('3e0', '3.0', '3') {
        $client = $nginx->ws;
        $client->send_frame(Codr::Client::encode({ type => 'attach', %good })
            =~ s/\}$/,"offset":$number}/r);
        is($client->wait_for('started')->{offset}, 3,
            "offset $number is a number");
    }
    $client = $nginx->ws;
    $client->send(type => 'attach', %good, offset => undef);
    is($client->wait_for('started')->{offset}, 0, 'none is 0');
    is($ws->wait_for('(close)')->{code}, 4001, 'which took over');
    $client->send(type => 'attach', %good);
    is($client->wait_for('notice')->{code}, 'already_running', 'not twice');
    $client->send(type => 'stop');
    is($client->{seen}[-1]{type} && $client->wait_for('complete')->{status},
        'stopped', 'it can be stopped');
};


subtest 'without its client' => sub {
    my ($ws, $started) = begin(path => '/never');
    my $view = join_job($started, 'view');
    $view->expect(qr/ready/);
    $ws->drop;
    is($view->finish(10)->{status}, 'stopped', 'where none may be detached');
    ($ws, $started) = begin(detach => $false);
    $view = join_job($started, 'view');
    $view->expect(qr/ready/);
    $ws->drop;
    is($view->finish(10)->{status}, 'stopped', 'or did not ask for it');

    ($ws, $started) = begin(path => '/soon');
    $view = join_job($started, 'view');
    $view->expect(qr/ready/);
    my $start = time;
    $ws->drop;
    is($view->finish(20)->{status}, 'stopped', 'for as long as it may');
    cmp_ok(time - $start, '>', 0.9, 'not less');

    ($ws, $started) = begin(path => '/soon');
    $ws->drop;
    $ws = join_job($started, 'attach');
    $ws->expect(qr/ready/);
    sleep 1.5;
    $ws->input("x\n");
    is($ws->finish->{status}, 'ok', 'who comes in time keeps it');

    $ws->execute(%wait, detach => 'yes');
    is($ws->recv->{code}, 'bad_message', '"detach" is true or false');
};


subtest 'while it waits' => sub {
    my $one = Codr::Nginx->new(http => 'codr_max_jobs 1 batch=1;');
    $one->ready;
    my $busy = $one->ws;
    $busy->execute(%wait);
    $busy->expect(qr/ready/);
    my $ws = $one->ws;
    $ws->execute(%wait, detach => $true);
    is($ws->recv->{type}, 'queued', 'a job waits');
    $ws->drop;
    $busy->send(type => 'stop');
    is($busy->finish->{status}, 'stopped', 'then there is room');
    ok(wait_until(10, sub { scalar(() = $one->job_processes) }),
        'and it runs, though its client has left');
    $one->finish;
};


subtest 'a reload, and the worker it began on' => sub {
    my ($ws, $started) = begin();
    my ($ws2, $started2) = begin();
    ok($nginx->reload, 'reload');
    my $late = join_job($started, 'attach');
    is($ws->wait_for('(close)')->{code}, 4001, 'from a new worker it is taken');
    ok($late->expect(qr/ready/), 'with its output');
    kill KILL => $nginx->workers;
    ok(wait_until(10, sub { 2 == (() = $nginx->workers) }),
        'all workers are killed');
    $ws = join_job($started, 'attach');
    ok($ws->expect(qr/ready/), 'the job is there');
    $ws->input("x\n");
    is($ws->finish->{status}, 'ok', 'and goes on');
    $ws2 = join_job($started2, 'attach');
    $ws2->input("x\n");
    is($ws2->finish->{status}, 'ok', 'so does the other');
};


subtest 'what is kept' => sub {
    my $write = "print('x' * 99_999)\n";
    my ($ws, $live) = begin(code => "${write}print('ready')\ninput()\n");
    my @jobs = map {
        $nginx->run_job(language => 'python', code => $write)->{started}
    } 1 .. 20;
    is(answer(join_job($jobs[0], 'view')), 'not_found', 'old results leave');
    is(length join_job($jobs[-1], 'view')->finish->{stdout}, 100_001,
        'the newest is there');
    my $view = join_job($live, 'view');
    ok($view->expect(qr/^x{9999}.*\r\nready/), 'and what has not ended');
    $ws->input("\n");
    $ws->finish;
};

unlike($nginx->log . $nginx->access_log, qr/[0-9a-f]{32}/,
    'no log has an id or a token');
$nginx->finish(expected => qr/worker process \d+ exited on signal 9/);


subtest 'for how long' => sub {
    my $short = Codr::Nginx->new(http => 'codr_job_ttl 1s;');
    $short->ready;
    my $started = $short->run_job(%wait, stdin => "\n")->{started};
    ok(wait_until(10, sub {
        my $ws = $short->ws;
        $ws->send(type => 'attach', job_id => $started->{job_id},
            view_token => $started->{view_token});
        answer($ws) eq 'not_found';
    }), 'codr_job_ttl');
    $short->finish;
};

done_testing();
