# Ready sandboxes: a job gets one that was made for what it asks, and nobody
# else has used; without one it runs all the same.

use strict;
use warnings;

use Codr::Host qw(need wait_until);
use Codr::Nginx;
use Test::More;

need(qw(module helper /usr/bin/python3));

my $nginx = Codr::Nginx->new(path => 'pool', server => <<'END');
location = /other { codr_exec; codr_memory 99m; }
END
ok($nginx->ready, 'the server is ready');

sub post {
    my ($code, %o) = @_;
    my $uri = delete $o{uri} // '/run';
    return $nginx->post($uri, { language => 'python', code => $code, %o })
        ->{json};
}

# Jobs of a kind until one finds a sandbox that was ready.
sub warmed {
    my (%o) = @_;
    return wait_until(20, sub { (post('', %o)->{path} // '') eq 'pool' });
}

sub ready_is {
    my ($n) = @_;
    return wait_until(20, sub { (my @pids = $nginx->ready_sandboxes) == $n });
}

my $all = 4 * 5;                    # of the shipped languages
ok(ready_is($all), 'as many wait as the configuration says')
    or diag(join ' ', $nginx->ready_sandboxes);

ok(warmed(), 'a job with pipes gets a ready sandbox');
ok(wait_until(20, sub {
    my $job = $nginx->run_job(language => 'python', code => 'print(6 * 7)');
    return $job->{complete}{path} eq 'pool' && $job->{stdout} eq "42\r\n";
}), 'so does one with a terminal');
ok(wait_until(20, sub {
    my $job = $nginx->run_job(language => 'c',
        code => 'int main(void) { return 7; }');
    return $job->{complete}{path} eq 'pool'
        && $job->{complete}{exit_code} == 7;
}), 'so does the run stage of a compiled language');

my $job = post('import resource; print(resource.getrlimit(8)[0])',
    limits => { memory_bytes => 70e6, processes => 9 });
is($job->{path}, 'cold', 'limits that nobody asked for before: a new one');
ok(warmed(limits => { memory_bytes => 70e6, processes => 9 }),
    'what the last jobs asked for is held ready');
ok(warmed(uri => '/other'), 'also with the limits of another location');

# Each is used once.

ok(warmed(), 'again one with pipes');
$job = post('open("/tmp/mark", "w"); open("/dev/shm/mark", "w");'
    . ' open("mark", "w"); import os; print(os.getpid())');
my $pid = $job->{stdout};
for (1 .. 6) {
    $job = post('import glob, os; print(os.getpid(), sum([glob.glob(d + "/*")'
        . ' for d in ("/tmp", "/dev/shm", "/box")], []))');
    is($job->{stdout}, $pid =~ s/\n//r . " ['/box/main.py']\n",
        "nothing of another job's ($job->{path})");
}

# What it used while it waited is not the job's.

ok(warmed(), 'one is ready');
$job = post('pass');
cmp_ok($job->{cpu_time}, '>', 0, 'CPU time counts');
cmp_ok($job->{wall_time}, '<', 5, 'wall time does from its start');
cmp_ok($job->{memory_peak}, '>', 1e6, 'so does memory');

# A burst.

my @clients = map { $nginx->ws } 1 .. 10;
$_->execute(language => 'python', code => 'print(input())') for @clients;
$clients[$_]->input("job $_\n") for 0 .. 9;
is(join('', map { $clients[$_]->finish->{stdout} } 0 .. 9),
    join('', map {"job $_\r\n"} 0 .. 9), 'more jobs than ready sandboxes');

# What dies while it waits.

SKIP: {
    skip 'only root kills a job\'s processes', 2 if $> != 0;
    ok(ready_is($all), 'all are ready');
    kill KILL => $nginx->ready_processes;
    is(post('print(1)')->{stdout}, "1\n", 'their death takes no job down');
    ok(warmed(), 'and they are replaced');
}

# Reload.

ok(ready_is($all), 'all are ready');
my %old = map { $_ => 1 } $nginx->ready_processes;
$nginx->write_conf(path => 'cold');
$nginx->reload;
ok(ready_is(0), 'a reload without them ends them');
is(post('')->{path}, 'cold', 'and jobs start as ever');
$nginx->write_conf(path => 'pool');
$nginx->reload;
ok(ready_is($all), 'a reload with them makes new ones');
is(scalar(grep { $old{$_} } $nginx->ready_processes), 0, 'none is an old one');

# Few slots: jobs come first.

$nginx->stop;
$nginx = Codr::Nginx->new(path => 'pool', uids => 1879048192 + 9 * 4096 . ' 9',
    http => 'codr_max_jobs 6 batch=1;') if $> == 0;
SKIP: {
    skip 'without root there is one uid', 2 if $> != 0;
    ok($nginx->ready, 'a server with eight slots');
    my @many = map { $nginx->ws } 1 .. 6;
    $_->execute(language => 'python', code => 'print("on"); input()')
        for @many;
    is(scalar(grep { $_->expect(qr/on/, 20) } @many), 6,
        'ready sandboxes keep no job out');
    $_->input("\n") for @many;
    $_->finish for @many;
}
$nginx->finish;

done_testing();
