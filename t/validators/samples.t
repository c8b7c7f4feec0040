# Every rule of every policy has samples, some that it refuses and some that
# it does not, in validators/LANGUAGE/tests/RULE.txt.

use strict;
use warnings;

use Codr::Host qw(build need slurp top);
use Codr::Policy qw(blocks lint_blocks policies);
use Test::More;

# The grammar of C++ reads C, and its policies begin with those of C.
my %also = (c => ['cpp']);

my $documented = slurp(top() . '/docs/policies.md');

need(build() . '/codr-validator');

for my $language (policies()) {
    my $dir = top() . "/validators/$language";
    my %rules = map { $_ => 1 } map { slurp($_) =~ /#set! rule "([^"]+)"/g }
        glob "$dir/*.scm";
    for my $rule (sort keys %rules) {
        like($documented, qr/^\| `\Q$rule\E` \|/m,
            "$language: $rule is documented");
        my $path = "$dir/tests/$rule.txt";
        my @blocks = -f $path ? blocks($path) : ();
        ok(@blocks > 1, "$language: $rule has samples") or next;
        check($_, $rule, $path, @blocks)
            for $language, @{ $also{$language} // [] };
    }
    my @strange = grep { !$rules{$_} }
        map {m{([^/]+)\.txt$}} glob "$dir/tests/*.txt";
    is("@strange", '', "$language: no samples of rules that are not there");
}

done_testing();

sub check {
    my ($language, $rule, $path, @blocks) = @_;
    my %seen;
    for my $block (lint_blocks($language, @blocks)) {
        $seen{ $block->{verdict} }++;
        my $refuses = grep { $_ eq $rule } @{ $block->{found}{rules} };
        my $known = $block->{found}{verdict} =~ /^(?:passes|refused)$/;
        next if $known && !!$refuses == ($block->{verdict} eq 'fail');
        $seen{wrong} = "line $block->{line}: $block->{found}{verdict}"
            . " @{ $block->{found}{rules} }";
        diag("$path:$block->{line} ($language, $block->{level}): must ",
            "$block->{verdict}: $block->{found}{verdict}",
            " @{ $block->{found}{rules} }\n$block->{text}");
    }
    is($seen{wrong}, undef, "$language: $rule judges its samples");
    ok($seen{pass} && $seen{fail}, "$language: $rule has both kinds");
}
