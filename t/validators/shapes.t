# The engine matches patterns by itself, where it can; tree-sitter's own cursor
# (--plain) is the control: both find the same in every program there is.

use strict;
use warnings;

use Codr::Host qw(build need top);
use Codr::Nginx;
use Codr::Policy qw(blocks policies);
use Test::More;

need(build() . '/codr-validator');

my $dir = Codr::Nginx::dir();
my $top = top();

# Broken programs have nodes that others have not.
my $BROKEN = 300;       # bytes

for my $language (policies()) {
    my @texts = map { $_->{text} } map { blocks($_) } glob(
        "$top/validators/$language/tests/*.txt"
        . " $top/t/validators/{honest,evasions,unseen}/$language.txt");
    push @texts, map { substr $_, 0, $BROKEN } grep { length > $BROKEN }
        @texts;
    my @files;
    for my $text (@texts) {
        push @files, "$dir/$language." . @files;
        put($files[-1], $text);
    }
    for my $level (qw(standard strict)) {
        my $ours = said($language, $level, @files);
        like($ours, qr/"refused"/, "$language, $level: something is refused");
        is($ours, said($language, $level, '--plain', @files),
            scalar(@files) . " programs, $language, $level: the same");
    }
}

# Patterns of the engine's own beside one that is tree-sitter's, which must not
# look for those any more: most of them begin with any node.
my ($policy, $source) = ("$dir/any.scm", "$dir/any.py");
my @rules = map {
    (qq{((_) \@refuse (#line-below? \@refuse "3") (#set! rule "any.a$_")},
     qq{((_ (_) \@_a) \@refuse (#inside? \@_a "call") (#set! rule "any.b$_")})
} 1 .. 8;
put($policy, join '', map {qq{$_ (#set! message "%s"))\n}} @rules,
    '((call function: (_)? @_f) @refuse (#eq? @_f "f") (#set! rule "any.c")');
for my $text ('', "f(1)\ng(2)\nf(g(3))\n") {
    put($source, $text);
    my @any = ('--policy', $policy, $source);
    my $ours = said('python', 'standard', @any);
    like($ours, $text ? qr/any\.a1.*any\.c/s : qr/any\.a1/,
        'roots that are any node, ' . length($text) . ' bytes');
    is($ours, said('python', 'standard', '--plain', @any),
        'as tree-sitter alone has it');
}

done_testing();

sub put {
    my ($path, $text) = @_;
    open my $file, '>:raw', $path or die "$path: $!";
    print {$file} $text;
    close $file or die "$path: $!";
    return;
}

sub said {
    my ($language, $level, @arguments) = @_;
    open my $out, '-|', build() . '/codr-validator', '--lint', '--json',
        '--policies', "$top/validators", '--language', $language, '--level',
        $level, @arguments or die "codr-validator: $!";
    local $/;
    my $said = <$out> // '';
    close $out;
    return $said;
}
