# The tests of limits, accounting and containment once more on Linux 6.1 with
# cgroup v2 (and in t/long/bench_v2.t the probe bench): inside Debian's
# user-mode-linux, with this machine's files as its root.

use strict;
use warnings;

use Codr::Host qw(build need slurp spew top);
use Codr::Nginx;
use Codr::Uml;
use Test::More;

need(qw(plain root uml module helper));
plan(skip_all => 'this is the inner run') if $ENV{CODR_INNER};

my $SECONDS = 280;
my @TESTS = qw(t/sandbox/limits.t t/sandbox/containment.t t/sandbox/core.t);
@TESTS = split / /, $ENV{CODR_V2_TESTS} if $ENV{CODR_V2_TESTS};
my @ARGS = split / /, $ENV{CODR_V2_ARGS} // '';     # of the kernel

my $dir = Codr::Nginx::dir();
my ($top, $build, $nginx) = (top(), build(), Codr::Host::nginx());

# Its own /run and a place for temporary files; everything else of the
# machine is seen as it is.
spew("$dir/init", <<"END");
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
export CODR_BUILD='$build' CODR_NGINX='$nginx' CODR_INNER=1 CODR_SLOW=10
export CODR_ALLOW_MISSING=landlock TMPDIR=/mnt CODR_SWAP='@{[ scalar @ARGS ]}'
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t tmpfs run /run
mount -t tmpfs tmp /mnt
mkdir -p /dev/pts /dev/shm
mount -t devpts -o ptmxmode=666 pts /dev/pts
ip link set lo up
cd '$top'
for t in @TESTS; do
    echo "codr: begin \$t"
    timeout 200 perl -It/lib "\$t" 2>&1
    echo "codr: end \$t \$?"
done
perl -e 'syscall(169, 0xfee1dead, 672274793, 0x4321fedc, 0)'
END
chmod 0755, "$dir/init";

my $console = Codr::Uml::boot(dir => $dir, seconds => $SECONDS,
    arguments => [ 'mem=768M', 'rw', @ARGS ]);

my ($file, %result);
while (my $line = <$console>) {
    $line =~ s/\r?\n$//;
    if ($line =~ /^codr: begin (.*)/) {
        $file = $1;
    } elsif ($line =~ /^codr: end (\S+) (\d+)/) {
        is($2, 0, "$1 ends well");
        $result{$1} = $2;
        undef $file;
    } elsif ($file && $line =~ /^(not )?ok \d+ - (.*)$/) {
        ok(!$1, "v2: $2");
    } elsif ($file && $line =~ /^ok \d+ # skip (.*)/) {
        SKIP: { skip "v2: $1", 1 }
    } elsif ($file && $line =~ /^1\.\.0 # SKIP (.*)/) {
        SKIP: { skip "$file: $1", 1 }
    } elsif ($line =~ /^#/) {
        diag($line);
    }
}
close $console;
is(join(' ', sort keys %result), join(' ', sort @TESTS),
    'all of it ran on the other kernel')
    or diag(slurp("$dir/stderr.log"));
done_testing();
