# A clock that jumps, swap and few process ids, on a kernel of its own.

use strict;
use warnings;

use Codr::Host qw(top);
use Codr::Nginx;

my $swap = Codr::Nginx::dir() . '/swap';
open my $file, '>', $swap or die "$swap: $!";
truncate $file, 256 << 20;
close $file;
$ENV{CODR_V2_TESTS} = 't/sandbox/kernel.t';
$ENV{CODR_V2_ARGS} = "ubd0=$swap";
my $done = do(top() . '/t/sandbox/v2.t');
die $@ || $! if !defined $done;
