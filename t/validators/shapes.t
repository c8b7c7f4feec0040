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
        open my $file, '>:raw', $files[-1] or die "$files[-1]: $!";
        print {$file} $text;
        close $file or die "$files[-1]: $!";
    }
    for my $level (qw(standard strict)) {
        my $ours = said($language, $level, @files);
        like($ours, qr/"refused"/, "$language, $level: something is refused");
        is($ours, said($language, $level, '--plain', @files),
            scalar(@files) . " programs, $language, $level: the same");
    }
}

done_testing();

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
