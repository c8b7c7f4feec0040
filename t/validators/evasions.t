# Ways around the policies: each file of evasions/ holds those of a language.

use strict;
use warnings;

use Codr::Host qw(build need top);
use Codr::Policy qw(blocks lint_blocks);
use Test::More;

need(build() . '/codr-validator');

# Of languages in which a name can be made while a program runs there are more.
my %LEAST = (python => 60, javascript => 60);

for my $path (sort glob top() . '/t/validators/evasions/*.txt') {
    my ($language) = $path =~ m{([^/]+)\.txt$};
    my @blocks = lint_blocks($language, blocks($path));
    cmp_ok(scalar @blocks, '>=', $LEAST{$language} // 20,
        "$language has some");
    for my $block (@blocks) {
        my $ok = $block->{found}{verdict} eq 'refused'
            && grep { $_ eq $block->{rule} } @{ $block->{found}{rules} };
        ok($ok, "$language, $block->{rule}: $block->{name}")
            or diag("$path:$block->{line}: $block->{found}{verdict}",
            " @{ $block->{found}{rules} }");
    }
}

done_testing();
