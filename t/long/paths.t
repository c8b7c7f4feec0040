# The tests of containment, limits and abuse once more, with sandboxes that were
# ready before their job came, and with clones of zygotes.

use strict;
use warnings;

use Codr::Host qw(need slow top);
use Test::More;

need(qw(module helper root));

my $seconds = int(70 * slow());

for my $path (qw(pool zygote)) {
    for my $test (qw(containment shared abuse)) {
        local $ENV{CODR_TEST_PATH} = $path;
        open my $out, '-|', 'cd ' . top() . " && timeout $seconds $^X "
            . "-It/lib t/sandbox/$test.t 2>&1" or die;
        while (my $line = <$out>) {
            chomp $line;
            if ($line =~ /^(not )?ok \d+ - (.*)/) {
                ok(!$1, "$path: $2");
            } elsif ($line =~ /^ok \d+ # skip (.*)/) {
                SKIP: { skip "$path: $1", 1 }
            } elsif ($line =~ /^#/) {
                diag($line);
            }
        }
        close $out;
        is($? >> 8, 0, "$path: $test ends well");
    }
}

done_testing();
