# Reload, upgrade and stop: running jobs finish, idle sockets are told, old
# workers leave, nothing is started twice.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(leftovers need slow snapshot wait_until);
use Codr::Nginx;
use Test::More;
use Time::HiRes qw(time);

need(qw(module helper /usr/bin/python3));

my %prompt = (language => 'python',
    code => "print('got', input('> '))\n");
my %hello = (language => 'python', code => "print('hello')\n");

my $nginx = Codr::Nginx->new(main => 'worker_shutdown_timeout 60s;',
    server => 'location = /more { return 404; }');
ok($nginx->ready, 'the server is ready');
my @helpers = sort keys %{ $nginx->helpers };
cmp_ok(scalar @helpers, '>=', 3, 'the helper has its processes');

# A reload with a job at a prompt, an idle socket and a new location.

my $busy = $nginx->ws;
$busy->execute(%prompt);
ok($busy->expect(qr/> $/), 'a job waits at its prompt');
my $idle = $nginx->ws;
is($idle->run_job(%hello)->{status}, 'ok', 'a socket did its job and idles');
my ($old) = $nginx->workers;

ok($nginx->reload(server => 'location = /more { codr_exec; }'), 'reload');
my $start = time;
my $told = $idle->wait_for('(close)', 5);
is($told->{code}, 1012, 'the idle socket is told at once');
cmp_ok(time - $start, '<', 2 * slow(), 'within two seconds');
is($nginx->post('/more', \%hello)->{json}{stdout}, "hello\n",
    'the new configuration serves');

ok(kill(0, $old), 'the old worker is there for its job');
$busy->input("x\n");
my $job = $busy->finish;
is($job->{status}, 'ok', 'which goes on to its end');
like($job->{stdout}, qr/got x/, 'with its input and output');
is($busy->wait_for('(close)', 5)->{code}, 1012, 'then the socket is told');
ok(wait_until(5, sub { !kill 0, $old }), 'and the old worker leaves');
is("@{[ sort keys %{ $nginx->helpers } ]}", "@helpers",
    'the helper is the same');

# An execute that meets the reload.

$busy = $nginx->ws;
$busy->execute(%prompt);
$busy->expect(qr/> $/);
ok($nginx->reload, 'reload once more');
my $late = $nginx->ws;
is($late->run_job(%hello)->{status}, 'ok', 'a new socket meets a new worker');
$busy->input("y\n");
is($busy->finish->{status}, 'ok', 'the old one finishes its job');
$busy->execute(%hello);
is($busy->wait_for(qr/^(?:started|error|complete|\(close\))$/, 5)->{type},
    '(close)', 'and starts no other');

# Many reloads.

my @clients = map { $nginx->ws } 1 .. 5;
$_->execute(%prompt) for @clients;
$_->expect(qr/> $/) for @clients;
ok($nginx->reload, "reload $_ with sockets") for 1 .. 5;
$_->input("z\n") for @clients;
is(join(' ', map { $_->finish->{status} } @clients), 'ok ok ok ok ok',
    'no job is lost');
$_->drop for @clients;
ok(wait_until(10, sub { 1 == (() = $nginx->workers) }),
    'one worker is left');
is("@{[ sort keys %{ $nginx->helpers } ]}", "@helpers",
    'and the same helper');

# A worker that is killed.

$busy = $nginx->ws;
$busy->execute(language => 'python', code => "print(1)\nwhile True: pass\n",
    limits => { cpu_time => 7 });
$busy->expect(qr/1/);
my ($worker) = $nginx->workers;
kill KILL => $worker;
is($busy->wait_for('(eof)', 5)->{type}, '(eof)', 'a worker dies');
ok(wait_until(1, sub { !$nginx->job_processes }),
    'its jobs die with it within a second');
is($nginx->post('/run', \%hello)->{json}{stdout}, "hello\n",
    'the next worker serves');
is("@{[ sort keys %{ $nginx->helpers } ]}", "@helpers",
    'and the helper has not noticed');
$nginx->finish(expected => qr/worker process \d+ exited on signal 9/);

# The end of patience.

$nginx = Codr::Nginx->new(main => 'worker_shutdown_timeout 3s;');
$nginx->ready;
$busy = $nginx->ws;
$busy->execute(%prompt);
$busy->expect(qr/> $/);
$start = time;
$nginx->reload;
$job = $busy->finish(10);
is($job->{status}, 'stopped',
    'before worker_shutdown_timeout jobs are stopped');
cmp_ok(time - $start, '>', 1, 'not at once');
cmp_ok(time - $start, '<', 3.5 * slow(), 'but in time');
is($busy->wait_for('(close)', 3)->{code}, 1012, 'and the socket is told why');
$nginx->finish;

# An upgrade of the executable: two of everything, then one.

$nginx = Codr::Nginx->new(mode => 'daemon');
$nginx->ready;
$busy = $nginx->ws;
$busy->execute(%prompt);
$busy->expect(qr/> $/);
my @first = grep { $nginx->helpers->{$_} eq 'supervisor' }
    keys %{ $nginx->helpers };
my $master = $nginx->pid;
ok($nginx->upgrade, 'USR2 starts a new nginx');
ok(wait_until(5, sub {
    2 == grep { $_ eq 'supervisor' } values %{ $nginx->helpers };
}), 'with a helper of its own');
ok($nginx->run_job(%hello), 'both serve');
kill WINCH => $master;
$busy->input("w\n");
is($busy->finish->{status}, 'ok', 'the old one\'s job goes on');
$busy->drop;
ok($nginx->quit_old, 'the old nginx leaves');
ok(wait_until(5, sub { !kill 0, $first[0] }), 'and its helper with it');
is($nginx->run_job(%hello)->{stdout}, "hello\r\n", 'the new one serves');
$nginx->finish;

# nginx -t starts nothing.

my $before = snapshot();
my ($good, $said) = Codr::Nginx->check;
ok($good, 'nginx -t likes the configuration') or diag($said);
is(join("\n", leftovers($before)), '', 'and has started no helper');

done_testing();
