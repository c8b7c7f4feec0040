# The parser's core of the validator does some things its own way, and lays
# trees out as rows: both come to what tree-sitter itself comes to, node by
# node, for every program there is, also for halves of it and with a byte of it
# changed, where the parser recovers from errors.

use strict;
use warnings;

use Codr::Host qw(build need spew top);
use Codr::Nginx;
use Codr::Policy qw(blocks policies);
use Test::More;

need(qw(plain /usr/bin/gcc), build() . '/codr-validator');

my $dir = Codr::Nginx::dir();
my $top = top();
my $core = "$top/build/npm/node_modules/tree-sitter/vendor/tree-sitter/lib";
my $BROKEN = 300;       # bytes

srand 20_241_122;

my @OURS = map { build() . "/$_" } qw(grammars/tree-sitter.o
    validators/codr_arena.o validators/codr_budget.o);

for my $language (policies()) {
    my @plain = ("$core/src/lib.c", "-I$core/src");
    is(compile($language, 'plain', @plain), 0, "$language: tree-sitter");
    is(compile($language, 'ours', '-DOURS', "-I$top/sandbox", @OURS), 0,
        "$language: the validator's core");

    my @texts = map { $_->{text} } map { blocks($_) } glob(
        "$top/validators/$language/tests/*.txt"
        . " $top/t/validators/{honest,evasions,unseen}/$language.txt");
    push @texts, map { (broken($_), substr $_, 0, $BROKEN) }
        grep { length > $BROKEN } @texts;
    my @files;
    for my $text (@texts) {
        push @files, "$dir/$language." . @files;
        spew($files[-1], $text);
    }
    my $said = said("$dir/plain", @files);
    is($said =~ tr/\n//, scalar @files, "$language: a tree for each");
    is(said("$dir/ours", @files), $said,
        "$language: " . @files . ' trees, and rows, are the same');
}

done_testing();

sub compile {
    my ($language, $name, @with) = @_;
    return system '/usr/bin/gcc', qw(-O1 -std=c11 -w -D_DEFAULT_SOURCE
        -D_POSIX_C_SOURCE=200112L), "-DGRAMMAR=tree_sitter_$language",
        "-I$core/include", '-o', "$dir/$name", 't/long/trees.c',
        build() . "/grammars/$language.grammar.o", @with;
}

# With another byte somewhere.
sub broken {
    my ($text) = @_;
    my @bytes = split //, qq{(){}[]"'\\\n;:,.#x\xff};
    substr($text, int rand length $text, 1) = $bytes[int rand @bytes];
    return $text;
}

sub said {
    my ($program, @arguments) = @_;
    open my $out, '-|', $program, @arguments or die "$program: $!";
    local $/;
    my $said = <$out> // '';
    close $out;
    return $said;
}
