# What operators do, and what happens to them: a worker is killed with many
# sessions, logs are rotated under running jobs, a worker's time is over.  Each
# job ends, is counted and logged once, and nothing stays behind.

use strict;
use warnings;

use Codr::Host qw(need slurp slow wait_until);
use Codr::Nginx;
use Test::More;

need(qw(module helper));

my $SESSIONS = 40;

my $dir = Codr::Nginx::dir();
my $nginx = Codr::Nginx->new(dir => $dir, languages => 0, workers => 2,
    main => 'worker_shutdown_timeout 4s;', http => <<"END",
codr_max_jobs $SESSIONS;
codr_language sh { source main.sh; run /bin/sh \$source; }
log_format job '\$codr_tag \$codr_status';
codr_job_log $dir/job.log job;
END
    server => 'location = /metrics { codr_status; }');
ok($nginx->ready, 'the server is ready');

sub metric {
    my ($name) = @_;
    my ($value) = $nginx->get('/metrics')->{body} =~ /^\Q$name\E (\S+)$/m;
    return $value // -1;
}

my $running = 'codr_jobs_running{kind="interactive"}';

sub sessions {
    my ($n, $tag) = @_;
    return map {
        my $ws = $nginx->ws;
        $ws->execute(language => 'sh', code => 'echo on; read x',
            tag => "$tag$_");
        $ws;
    } 1 .. $n;
}

# kill -9

my @ws = sessions($SESSIONS + 5, 'k');
ok(wait_until(20, sub { metric($running) == $SESSIONS }), 'many sessions');
ok(wait_until(10, sub { metric('codr_jobs_queued') == 5 }), 'some that wait');
my $descriptors = $nginx->helper_descriptors;
kill KILL => $nginx->workers;
ok(wait_until(5 * slow(), sub { !$nginx->job_processes }),
    'jobs of killed workers end');
ok(wait_until(20, sub { metric($running) == 0 }), 'none is counted any more');
is(metric('codr_jobs_queued'), 0, 'none waits');
is(metric('codr_sockets'), 0, 'no socket is left');
is(scalar(grep { $_->wait_for('(eof)', 10) } @ws), scalar @ws,
    'the clients know');
ok(wait_until(10, sub {
    my @lines = slurp("$dir/job.log") =~ /^(k\d+ internal)$/mg;
    return @lines == @ws;
}), 'each job has its line');
is(metric('codr_jobs_total{language="sh",status="internal"}'), $SESSIONS,
    'those that ran are counted');
is(metric('codr_rejected_total{code="internal"}'), 5, 'and those that waited');
ok(wait_until(10, sub { $nginx->helper_descriptors < $descriptors }),
    'and the helper has closed what it had of them');
is($nginx->run_job(language => 'sh', code => 'exit 0')->{status}, 'ok',
    'the next workers serve');

# Rotation under running jobs.

@ws = sessions(4, 'r');
$_->expect(qr/on/) for @ws;
rename "$dir/$_", "$dir/$_.1" or die for qw(job.log error.log);
$nginx->signal('USR1');
ok(wait_until(10, sub { -e "$dir/job.log" && -e "$dir/error.log" }),
    'logs are rotated');
ok(wait_until(10, sub {
    my $done = $nginx->post('/run', { language => 'sh', code => '',
        tag => 'new' });
    return slurp("$dir/job.log") =~ /^new ok$/m;
}), 'and written to');
$_->input("\n") for @ws;
is(join(' ', map { $_->finish->{status} } @ws), 'ok ok ok ok',
    'the jobs have not noticed');
ok(wait_until(10, sub {
    my @lines = slurp("$dir/job.log") =~ /^(r\d ok)$/mg;
    return @lines == 4;
}), 'and each has a line');

# The end of a worker's time.

@ws = sessions(6, 's');
$_->expect(qr/on/) for @ws;
ok($nginx->reload, 'reload');
is(join(' ', map { $_->finish->{status} } @ws), join(' ', ('stopped') x 6),
    'before the time is over jobs are stopped');
is(scalar(grep { ($_->wait_for('(close)', 5)->{code} // 0) == 1012 } @ws), 6,
    'and their sockets told why');
ok(wait_until(10, sub {
    my @lines = slurp("$dir/job.log") =~ /^(s\d stopped)$/mg;
    return @lines == 6;
}), 'each has a line');
ok(wait_until(20, sub { metric($running) == 0 }), 'nothing runs');
is(metric('codr_jobs_total{language="sh",status="stopped"}'), 6,
    'and each is counted once');

$nginx->finish(expected => qr/exited on signal 9/);

done_testing();
