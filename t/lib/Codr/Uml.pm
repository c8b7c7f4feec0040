package Codr::Uml;

# A machine of its own: Debian's user-mode-linux, a kernel 6.1 with cgroup v2,
# with this machine's files as its root.

use strict;
use warnings;

use Codr::Host qw(build);

# Boots it.  Returns its console, which ends with the machine:
#
#   dir        has "init", the program that its kernel starts; what the kernel
#              says on its standard error goes there, into stderr.log
#   seconds    after which it is stopped
#   arguments  further ones of the kernel, a list
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
