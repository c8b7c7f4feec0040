# In the page a program is typed and run in each language, is highlighted and
# remembered, and every example works.

use strict;
use warnings;

use Codr::Browser;
use Test::More;

Codr::Browser->ready;
my $nginx = Codr::Browser->serve;
Codr::Browser->run('languages.mjs', $nginx);
$nginx->finish;
done_testing();
