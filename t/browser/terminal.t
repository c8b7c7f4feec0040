# The page's terminal: a game, Ctrl-C, Ctrl-D, Stop, sizes, colours, 10 MB at
# once, and the plain view with stdout and stderr apart.

use strict;
use warnings;

use Codr::Browser;
use Test::More;

Codr::Browser->ready;
my $nginx = Codr::Browser->serve;
Codr::Browser->run('terminal.mjs', $nginx);
$nginx->finish;
done_testing();
