# Reloads under load: a hundred jobs that talk, begun on every generation of
# workers, and twenty reloads.  No job is lost, no byte is lost or repeated,
# every old worker leaves.  Then a hundred sessions lose their workers, and an
# upgrade of nginx is taken back.

use strict;
use warnings;

use Codr::Host qw(need slow slurp wait_until);
use Codr::Nginx;
use Test::More;
use Time::HiRes qw(time);

need(qw(module helper));

my $RELOADS = 20;
my $EACH    = 5;        # jobs begun before each reload
my $JOBS    = $RELOADS * $EACH;
my $BLOCK   = 4000;     # bytes a job says at a time

my $dir   = Codr::Nginx::dir();
my %start = (dir => $dir, languages => 0, workers => 2,
    main => 'worker_shutdown_timeout 120s;', http => <<"END",
codr_max_jobs @{[ $JOBS + 10 ]};
codr_language sh { source main.sh; run /bin/sh \$source; }
log_format job '\$codr_tag \$codr_status';
codr_job_log $dir/job.log job;
END
    location => 'codr_output 8m; codr_timeout 5m; codr_idle_timeout 5m;',
    server => 'location = /metrics { codr_status; }');
my $nginx = Codr::Nginx->new(%start);
ok($nginx->ready, 'the server is ready');

sub metric {
    my ($name) = @_;
    my ($value) = $nginx->get('/metrics')->{body} =~ /^\Q$name\E (\S+)$/m;
    return $value // -1;
}

# Answers each line with a numbered block.
my $talker = <<"END";
fill=\$(printf '%${\($BLOCK - 20)}s' | tr ' ' x)
i=0
while read word; do
    i=\$((i + 1))
    echo "\$i \$word \$fill"
done
exit 7
END

sub begin {
    my ($tag) = @_;
    my $ws = $nginx->ws;
    $ws->execute(language => 'sh', code => $talker, tag => $tag,
        tty => JSON::PP::false());
    return { ws => $ws, tag => $tag, said => 0 };
}

sub say_all {
    my ($word, @jobs) = @_;
    for (@jobs) {
        $_->{ws}->input("$word\n");
        $_->{want} .= ++$_->{said} . " $word " . 'x' x ($BLOCK - 20) . "\n";
    }
}

# What is wrong with a job that has ended: nothing, or words.
sub wrong {
    my ($of) = @_;
    my $job = $of->{ws}->finish(60);
    my $at = 0;
    for (grep { $_->{type} eq 'output' } @{ $job->{messages} }) {
        return "$of->{tag}: offset $_->{offset} after $at"
            if $_->{offset} != $at;
        $at = $_->{end};
    }
    return "$of->{tag}: $job->{status}" if $job->{status} ne 'error';
    return "$of->{tag}: exit code $job->{complete}{exit_code}"
        if $job->{complete}{exit_code} != 7;
    return "$of->{tag}: " . length($job->{stdout}) . ' bytes instead of '
        . length $of->{want} if $job->{stdout} ne $of->{want};
    return;
}

my (@jobs, %workers, $failed);
for my $n (1 .. $RELOADS) {
    push @jobs, map { begin("r$n.$_") } 1 .. $EACH;
    say_all("before$n", @jobs);
    $workers{$_} = 1 for $nginx->workers;
    $failed++ if !$nginx->reload;
    say_all("after$n", @jobs);
}
ok(!$failed, "$RELOADS reloads");
is(metric('codr_jobs_running{kind="interactive"}'), $JOBS,
    'all jobs run on');
cmp_ok(scalar(grep { kill 0, $_ } keys %workers), '>=', $RELOADS,
    'workers of each generation are there for them');

$_->{ws}->send(type => 'eof') for @jobs;
my @wrong = map { wrong($_) } @jobs;
is(join("\n", @wrong), '', 'no job and no byte is lost or repeated');
is(scalar(grep { ($_->{ws}->wait_for('(close)', 10)->{code} // 0) == 1012 }
    @jobs), $JOBS, 'each socket is told why it ends');
ok(wait_until(20, sub { !grep { kill 0, $_ } keys %workers }),
    'all old workers leave');
ok(wait_until(10, sub {
    my @lines = slurp("$dir/job.log") =~ /^(r\d+\.\d+ error)$/mg;
    return @lines == $JOBS;
}), 'each job has its line, once');
is(scalar(() = $nginx->log =~ /the helper is up/g), 1,
    'the helper has been the same all the time');

# A hundred sessions whose workers are killed.

my @ws = map { begin("k$_") } 1 .. $JOBS;
say_all('on', @ws);
is(scalar(grep { $_->{ws}->expect(qr/^1 on/) } @ws), $JOBS,
    'a hundred sessions');
my $begin = time;
kill KILL => $nginx->workers;
ok(wait_until(2, sub { !$nginx->job_processes }), 'their jobs end');
diag(sprintf '%d jobs ended %.2f s after their workers', scalar @ws,
    time - $begin);
ok(wait_until(10, sub {
    metric('codr_jobs_running{kind="interactive"}') == 0;
}), 'none is counted any more');
ok(wait_until(10, sub {
    my @lines = slurp("$dir/job.log") =~ /^(k\d+ internal)$/mg;
    return @lines == @ws;
}), 'each has its line');
$nginx->finish(expected => qr/exited on signal 9/);

# An upgrade that is taken back: the new nginx leaves, the old one goes on.

$nginx = Codr::Nginx->new(%start, mode => 'daemon');
ok($nginx->ready, 'another server');
my @before = map { begin("o$_") } 1 .. 10;
say_all('one', @before);
my $old = $nginx->pid;
ok($nginx->upgrade, 'USR2');
kill WINCH => $old;
ok(wait_until(10, sub {
    !grep { slurp("/proc/$_/cmdline") !~ /shutting down/ }
        $nginx->workers($old)
}), 'the old workers accept no more');
my @between = map { begin("n$_") } 1 .. 10;
say_all('two', @before, @between);
ok(wait_until(10, sub {
    2 == grep { $_ eq 'supervisor' } values %{ $nginx->helpers };
}), 'two helpers');
my $new = $nginx->pid;
kill HUP => $old;
ok(wait_until(10, sub {
    grep { slurp("/proc/$_/cmdline") !~ /shutting down/ } $nginx->workers($old)
}), 'the old one starts workers again');
kill QUIT => $new;
say_all('three', @before, @between);
$_->{ws}->send(type => 'eof') for @before, @between;
is(join("\n", map { wrong($_) } @before, @between), '',
    'jobs of both go on to their ends');
$_->{ws}->drop for @before, @between;
ok(wait_until(20, sub { !kill 0, $new }), 'the new one leaves');
ok(wait_until(20, sub {
    1 == grep { $_ eq 'supervisor' } values %{ $nginx->helpers };
}), 'and its helper');
$nginx->{pid} = $old;
is($nginx->run_job(language => 'sh', code => 'exit 0')->{status}, 'ok',
    'the old one serves');
$nginx->finish(expected => qr/exited on signal 9/);

done_testing();
