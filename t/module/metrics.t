# codr_status: every metric from the first moment on, in a form promtool
# accepts; what is counted is what happened, also over workers that are killed,
# reloads, and a helper that began anew.

use strict;
use warnings;

use Codr::Host qw(cgroups need spew wait_until);
use Codr::Nginx;
use Test::More;

need(qw(module helper));

my $nginx = Codr::Nginx->new(workers => 2, languages => 0, http => <<'END',
codr_max_jobs 2 batch=1;
codr_language sh { source main.sh; run /bin/sh $source; warm 0; }
codr_language ready { source main.sh; run /bin/sh $source; warm 1; }
codr_language broken {
    source main.sh;
    compile /bin/sh -c "exit 1" $program;
    run $program;
}
codr_language cat { source main.txt; run /usr/bin/no-such-program $source; }
END
    server => 'location = /metrics { codr_status; }'
        . 'location = /same { codr_status prometheus; }'
        . 'location = /json { codr_status json; }');
ok($nginx->ready, 'the server is ready');

# name{labels} => value
sub metrics {
    my $body = $nginx->get('/metrics')->{body};
    return { $body =~ /^([a-z]\S*) (\S+)$/mg };
}

# True as soon as a metric has a value.
sub becomes {
    my ($name, $value, $what) = @_;
    my $found;
    ok(wait_until(20, sub {
        $found = metrics()->{$name};
        return defined $found && $found == $value;
    }), $what) or diag("$name is " . ($found // 'absent'));
}

my $page = $nginx->get('/metrics');
is($page->{status}, 200, 'the page is there');
is($page->{headers}{'content-type'}, 'text/plain; version=0.0.4',
    'in text format 0.0.4');
is($nginx->get('/same')->{status}, 200, 'as it is when it is named');
is($nginx->get('/metrics', method => 'HEAD')->{status}, 200, 'HEAD');
is($nginx->get('/metrics', method => 'DELETE')->{status}, 405, 'no DELETE');

my %types = (
    codr_jobs_total => 'counter', codr_jobs_running => 'gauge',
    codr_max_jobs => 'gauge', codr_jobs_queued => 'gauge',
    codr_sockets => 'gauge', codr_rejected_total => 'counter',
    codr_auth_failures_total => 'counter', codr_job_seconds => 'histogram',
    codr_queue_seconds => 'histogram', codr_stage_seconds => 'histogram',
    codr_start_seconds => 'histogram', codr_cpu_seconds_total => 'counter',
    codr_output_bytes_total => 'counter', codr_memory_bytes => 'gauge',
    codr_memory_limit_bytes => 'gauge', codr_warm_ready => 'gauge',
    codr_compile_cache_hits_total => 'counter',
    codr_compile_cache_misses_total => 'counter', codr_helper_up => 'gauge',
    codr_helper_restarts_total => 'counter', codr_redis_up => 'gauge',
    codr_zone_free_bytes => 'gauge', codr_layer => 'gauge',
    codr_build_info => 'gauge',
);
for my $name (sort keys %types) {
    like($page->{body}, qr/^\#[ ]HELP[ ]$name[ ]\S.*\n
        \#[ ]TYPE[ ]$name[ ]$types{$name}\n$name/mx, $name);
}

my $zero = metrics();
is($zero->{'codr_jobs_total{language="sh",status="ok"}'}, 0, 'nothing yet');
is($zero->{'codr_max_jobs{kind="interactive"}'}, 2, 'places for people');
is($zero->{'codr_max_jobs{kind="batch"}'}, 1, 'places for others');
is($zero->{codr_helper_up}, 1, 'the helper is up');
is($zero->{codr_helper_restarts_total}, 0, 'since the beginning');
cmp_ok($zero->{codr_memory_limit_bytes}, '>', 1 << 20, 'memory for all jobs');
cmp_ok($zero->{codr_zone_free_bytes}, '>', 1 << 20, 'the zone has room');

becomes('codr_warm_ready{language="sh"}', 0, 'no sandbox is kept ready');
$nginx->run_job(language => 'ready', code => 'exit 0');
becomes('codr_warm_ready{language="ready"}', 1, 'but where there is one')
    if cgroups();

# What happens is counted.

for (1 .. 3) {
    is($nginx->post('/run', { language => 'sh', code => 'echo 12345' })
        ->{json}{status}, 'ok', 'a job');
}
is($nginx->post('/run', { language => 'sh', code => 'exit 3' })
    ->{json}{status}, 'error', 'one that fails');
is($nginx->post('/run', { language => 'broken', code => '' })->{json}{status},
    'compile_error', 'one that is not compiled');
is($nginx->post('/run', { language => 'no', code => '' })->{status}, 400,
    'an unknown language');
is($nginx->post('/run', { language => 'cat', code => '' })->{status}, 503,
    'a missing program');
$nginx->run_job(language => 'sh', code => 'exit 1', tty => 7);

my $now = metrics();
is($now->{'codr_jobs_total{language="sh",status="ok"}'}, 3, 'ended well');
is($now->{'codr_jobs_total{language="sh",status="error"}'}, 1, 'failed');
is($now->{'codr_jobs_total{language="broken",status="compile_error"}'}, 1,
    'not compiled');
is($now->{'codr_rejected_total{code="unknown_language"}'}, 1, 'unknown');
is($now->{'codr_rejected_total{code="unavailable"}'}, 1, 'unavailable');
is($now->{'codr_rejected_total{code="bad_message"}'}, 1, 'a bad message');
is($now->{'codr_rejected_total{code="busy"}'}, 0, 'nothing else');
is($now->{codr_output_bytes_total}, 18, 'bytes of output');
cmp_ok($now->{codr_cpu_seconds_total}, '>', 0, 'CPU time');
is($now->{'codr_queue_seconds_count'}, 5, 'turns');
is($now->{'codr_stage_seconds_count{language="sh",stage="run"}'}, 4,
    'run stages');
is($now->{'codr_stage_seconds_count{language="broken",stage="compile"}'}, 1,
    'compile stages');
is($now->{'codr_start_seconds_count{language="sh",path="cold"}'}, 4, 'starts');

my @buckets = map { $now->{$_} }
    $page->{body} =~ /^(codr_job_seconds_bucket\{language="sh",.*?\})/mg;
is(scalar(grep { $buckets[$_ - 1] > $buckets[$_] } 1 .. $#buckets), 0,
    'buckets only grow');
is($buckets[-1], 4, 'the last one holds all');
cmp_ok($now->{'codr_job_seconds_sum{language="sh"}'}, '>', 0, 'and their sum');

# What is there now is what the broker says.

my $first = $nginx->ws;
$first->execute(language => 'sh', code => 'echo on; read x');
ok($first->expect(qr/on/), 'one job runs');
becomes('codr_jobs_running{kind="interactive"}', 1, 'it is seen');
becomes('codr_jobs_running{kind="batch"}', 0, 'as what it is');
becomes('codr_sockets', 1, 'and its socket');
my @more = map {
    my $ws = $nginx->ws;
    $ws->execute(language => 'sh', code => 'echo on; read x');
    $ws;
} 1 .. 3;
becomes('codr_jobs_queued', 2, 'those that wait are seen');
cmp_ok(metrics()->{codr_memory_bytes}, '>', 0, 'their memory')
    if cgroups();

kill KILL => $nginx->workers;
becomes('codr_jobs_running{kind="interactive"}', 0,
    'a killed worker leaves no job behind');
becomes('codr_jobs_queued', 0, 'none that waits');
becomes('codr_sockets', 0, 'no socket');
ok(wait_until(20, sub { !$nginx->job_processes }), 'and no process');
$_->drop for $first, @more;

# A helper that begins anew, a reload.

ok($nginx->ready, 'ready');
my ($broker) = grep { $nginx->helpers->{$_} eq 'broker' }
    keys %{ $nginx->helpers };
kill KILL => $broker;
becomes('codr_helper_restarts_total', 1, 'a lost helper is counted once');
becomes('codr_helper_up', 1, 'and comes back');
ok($nginx->reload, 'reload');
ok($nginx->ready, 'ready');
is(metrics()->{'codr_jobs_total{language="sh",status="ok"}'}, 3,
    'sums outlive a reload');
is(metrics()->{codr_helper_restarts_total}, 1, 'that is no restart');

my $json = $nginx->get('/json');
is($json->{headers}{'content-type'}, 'application/json', 'as JSON');
is($json->{json}{languages}{sh}{jobs_total}{ok}, 3, 'with the same sums');
is($json->{json}{languages}{sh}{stage_seconds}{run}{count}, 4, 'and times');
is($json->{json}{max_jobs}{interactive}, 2, 'and figures');
is($json->{json}{rejected_total}{bad_message}, 1, 'and refusals');

SKIP: {
    my $promtool = '/usr/bin/promtool';
    skip "no $promtool (Debian's package prometheus)", 1 if !-x $promtool;
    spew($nginx->path('metrics'), $nginx->get('/metrics')->{body});
    my $said = `$promtool check metrics <'@{[ $nginx->path('metrics') ]}' 2>&1`;
    is($? . $said, '0', 'promtool has nothing to say');
}

$nginx->finish(expected => qr/exited on signal 9|spawner|broker/);

done_testing();
