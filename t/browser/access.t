# The page for everybody: keyboard alone, names for screen readers, phones,
# dark and light; what it loads, how soon it shows, how it is served.

use strict;
use warnings;

use Codr::Browser;
use Test::More;

Codr::Browser->ready;
my $nginx = Codr::Browser->serve;
Codr::Browser->run('access.mjs', $nginx);
$nginx->finish;
done_testing();
