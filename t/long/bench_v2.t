# The probe bench on Linux 6.1 with cgroup v2 and without Landlock, as
# t/sandbox/v2.t does it with other tests.

use strict;
use warnings;

use Codr::Host qw(top);

$ENV{CODR_V2_TESTS} = 't/sandbox/bench.t t/sandbox/total.t';
my $done = do(top() . '/t/sandbox/v2.t');
die $@ || $! if !defined $done;
