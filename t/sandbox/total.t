# When the memory of all jobs together (codr_total) runs out, who has most of it
# ends, and those who only run beside him do not.

use strict;
use warnings;

use Codr::Host qw(cgroups need slow slurp);
use Codr::Nginx;
use Test::More;

need(qw(module helper cgroups /usr/bin/python3));

my $nginx = Codr::Nginx->new(
    http => 'codr_total memory=120m; codr_max_jobs 8;',
    location => 'codr_memory 100m; codr_cpu_time 60s;');
ok($nginx->ready, 'the server is ready');

sub begin {
    my ($code) = @_;
    my $client = $nginx->ws;
    $client->execute(language => 'python',
        code => "${code}print('ready', flush=True)\ninput()\n");
    return $client;
}

my @small = map { begin('') } 1 .. 3;
$_->expect(qr/ready/, 30 * slow()) for @small;

# The kernel's table of process ids is everybody's, too.
my ($path) = slurp('/proc/' . ($nginx->job_processes)[0] . '/cgroup')
    =~ m{^\d+:(?:pids)?:(/.*)/[^/]+$}m;
my $tree = cgroups() eq 'v2' ? '/sys/fs/cgroup' : '/sys/fs/cgroup/pids';
my $tasks = slurp("$tree$path/pids.max");
like($tasks, qr/^\d+$/, 'all jobs together may have so many processes');
cmp_ok($tasks, '<', slurp('/proc/sys/kernel/pid_max'),
    'which are fewer than the host can have');

my $before = begin("x = bytearray(80 << 20)\n");
ok($before->expect(qr/ready/, 30 * slow()), 'one job has much of it');
my $more = begin("x = bytearray(80 << 20)\n");
$more->wait_for(qr/^(?:output|complete|error)$/, 30 * slow());
my @greedy = map { $_->input("\n"); $_->finish } $before, $more;
cmp_ok(scalar(grep { ($_->{status} // '') eq 'memory_limit' } @greedy), '>=',
    1, 'another one wants as much, and one of them ends');
$_->input("\n") for @small;
is(join(' ', map { $_->finish->{status} } @small), 'ok ok ok',
    'jobs beside them go on, and end well');

$nginx->finish;
done_testing();
