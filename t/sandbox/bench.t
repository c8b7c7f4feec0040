# The probe bench: whatever way a sandbox came about, what is in it answers as
# the golden tables say: every system call by every entry, refused arguments,
# socket families, identity, limits, descriptors, environment, mounts, devices,
# /proc, every directory, the network.

use strict;
use warnings;

use Codr::Host qw(cgroups need wait_until);
use Codr::Nginx;
use Codr::Probe qw(answers compare configuration outside program);
use IO::Socket::UNIX;
use POSIX ();
use Test::More;

need(qw(module helper probes /usr/bin/python3));
plan(skip_all => 'the tables are for x86-64')
    if (POSIX::uname())[4] ne 'x86_64';

my %GROUPS = (
    probe_calls => [qw(native x32 int80 arguments)],
    probe_net   => [],
    probe_view  => [qw(self mounts dev proc tree)],
);

# In the tables a path is cold, terminal, pool or zygote, and who made it.
my $as = $> != 0 ? '-nobody' : cgroups() eq 'v2' ? '-v2' : '';

my $dir = Codr::Nginx::dir();
my $socket = IO::Socket::UNIX->new(Listen => 1, Local => "$dir/outside.sock");

# Numbers are tried without rights outside: with them, some would do something.
my %outside = (
    probe_calls => {
        %{ outside($dir, 1, 'probe_calls', 'native') },
        %{ outside($dir, 0, 'probe_calls', qw(x32 int80 arguments)) },
    },
    map { $_ => outside($dir, 0, $_, @{ $GROUPS{$_} }) }
        qw(probe_net probe_view),
);

sub bench {
    my ($path, $probe, $job) = @_;
    is($job->{status}, 'ok', "$path$as: $probe ends well")
        or diag(substr $job->{stdout} // '', -500);
    compare($probe =~ s/^probe_//r, "$path$as", answers($job->{stdout}),
        $outside{$probe});
}

# On an emulated machine (t/sandbox/v2.t) time is short, and another entry into
# the kernel is none.
my $emulated = $ENV{CODR_INNER};
$GROUPS{probe_calls} = [qw(native arguments)] if $emulated;

my $nginx = Codr::Nginx->new(http => configuration(),
    location => $emulated ? 'codr_cpu_time 60s; codr_timeout 100s;' : '');
ok($nginx->ready, 'the server is ready');
for my $probe (sort keys %GROUPS) {
    bench('cold', $probe, $nginx->post('/run', { language => $probe,
        code => '-', args => $GROUPS{$probe} })->{json});
}
bench('terminal', 'probe_view', $nginx->run_job(language => 'probe_view',
    code => '-', args => $GROUPS{probe_view}));
$nginx->finish;
if ($emulated) {
    done_testing();
    exit 0;
}

sub by_path {
    my ($path, %message) = @_;
    my $answer = {};
    wait_until(30, sub {
        $answer = $nginx->post('/run', \%message)->{json};
        return ($answer->{path} // '') eq $path;
    });
    is($answer->{path}, $path, "$path$as: that was the path");
    return $answer;
}

$nginx = Codr::Nginx->new(path => 'zygote', http => configuration(2));
ok($nginx->ready, 'a server with ready sandboxes');
for my $probe (sort keys %GROUPS) {
    bench('pool', $probe, by_path('pool', language => $probe, code => '-',
        args => $GROUPS{$probe}));
}
SKIP: {
    skip 'there are no zygotes without root', 1 if $> != 0;
    for my $probe (sort keys %GROUPS) {
        bench('zygote', $probe, by_path('zygote', language => 'python',
            code => program(), args => [ $probe, @{ $GROUPS{$probe} } ]));
    }
}
$nginx->finish;

done_testing();
