# The page's editor: errors at their exact places, files as tabs, links that
# hold a program, downloads.

use strict;
use warnings;

use Codr::Browser;
use Test::More;

Codr::Browser->ready;
my $nginx = Codr::Browser->serve(
    pages  => { map { $_ => { run => $_ } } qw(strict warned) },
    server => 'location = /strict { codr_exec; codr_policy block strict; }
               location = /warned { codr_exec; codr_policy warn; }');
Codr::Browser->run('editor.mjs', $nginx);
$nginx->finish;
done_testing();
