package Codr::Uml;

# A machine of its own: Debian's user-mode-linux, a kernel 6.1 with cgroup v2,
# with this machine's files as its root.

use strict;
use warnings;

use Codr::Host qw(build);

# Boots it: with a file of what it says on its standard error, the program that
# is its init, and further arguments of the kernel.  Returns the machine's
# console, which ends with it, after so many seconds at the latest.
sub boot {
    my (%o) = @_;
    my $pid = open(my $console, '-|') // die "fork: $!";
    return $console if $pid;
    open STDIN,  '<', '/dev/null';
    open STDERR, '>', "$o{dir}/stderr.log";
    exec 'timeout', '-k', 5, $o{seconds}, 'env',
        'LD_PRELOAD=' . build() . '/t/uml/xstate.so', '/usr/bin/linux',
        "uml_dir=$o{dir}/uml", 'rootfstype=hostfs', 'rootflags=/', 'quiet',
        'selinux=0', "init=$o{dir}/init", 'con=null', 'con0=null,fd:1',
        'ssl=null', @{ $o{arguments} };
    die "linux: $!";
}

1;
