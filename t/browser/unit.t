# The pure parts of the page: states and words, places of errors, links,
# names, arguments.

use strict;
use warnings;

use Codr::Browser;
use Codr::Host qw(need);
use Test::More;

need('/usr/bin/node');
my $run = Codr::Browser::page() . '/test/unit/run.mjs';
plan(skip_all => 'the playground is not built (make deps)') unless -f $run;

my $said = `/usr/bin/node '$run' 2>&1`;
is($?, 0, 'the unit tests of the page pass') or diag($said);
like($said, qr/^. pass [1-9]/m, 'and there are some');
done_testing();
