# The table of system calls: every call of this machine's headers has been
# judged, and is in the golden table of what a job must get (bench.t).

use strict;
use warnings;

use Codr::Host qw(slurp top);
use POSIX ();
use Test::More;

my ($machine) = (POSIX::uname())[4];
my $source = slurp(top() . "/sandbox/codr_syscalls_$machine.c");
plan(skip_all => "no table for $machine") if !$source;
plan(skip_all => 'the golden table is x86-64\'s') if $machine ne 'x86_64';

my $action = qr/ALLOW|REFUSE|ABSENT|PRETEND/;
my %row = $source =~ /^    \{ "(\w+)", ($action)(?:_LATE)?,/mg;
my $header = slurp('/usr/include/x86_64-linux-gnu/asm/unistd_64.h')
    || slurp('/usr/include/asm/unistd_64.h');
my %number = $header =~ /^#define __NR_(\w+) (\d+)$/mg;
plan(skip_all => 'no kernel headers') if !%number;

# Newer than the headers of Debian 12, and in the table by name.
%number = (fchmodat2 => 452, futex_wake => 454, futex_wait => 455,
    futex_requeue => 456, %number);

cmp_ok(scalar keys %row, '>', 300, 'the table has its rows');
is(join(' ', grep { !$row{$_} } sort keys %number), '',
    'every call of the kernel headers is judged');

# What the probe cannot call, see t/sandbox/probe_calls.c; and calls of which
# it is an argument that decides, or the state of the process.
my %not_called = map { $_ => 1 } qw(exit exit_group pause vfork rt_sigreturn
    restart_syscall msgget);
my %by_argument = map { $_ => 1 } qw(msync socket socketpair clone
    landlock_restrict_self);

my %means = (ALLOW => '*', REFUSE => 'EPERM', ABSENT => 'ENOSYS',
    PRETEND => 'done');
my $golden = slurp(top() . '/t/sandbox/golden/calls');
my (@missing, @differ);
for my $name (grep { $row{$_} && !$not_called{$_} } sort keys %number) {
    my ($inside) = $golden =~ /^call $number{$name} \| (\S+) \|.*# $name$/m;
    push @missing, $name if !defined $inside;
    push @differ, $name if defined $inside && !$by_argument{$name}
        && $inside ne $means{ $row{$name} };
}
is("@missing", '', 'and in the golden table');
is("@differ", '', 'where it says the same');

done_testing();
