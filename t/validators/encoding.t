# Where a finding is, whatever the bytes before it: in each language the same
# refused line behind each prefix, told by its rule, position and snippet.

use strict;
use warnings;

use Codr::Host qw(build need spew);
use Codr::Nginx;
use Encode ();
use JSON::PP qw(decode_json);
use Test::More;

need(build() . '/codr-validator');

my $dir = Codr::Nginx::dir();

# The line, its rule, where what is refused begins and ends in it, and how a
# line comment and one within a line begin and end.
my %LANGUAGE = (
    python => [ 'x = eval', 'python.eval', 5, 9, '#' ],
    javascript => [ 'x = eval;', 'javascript.eval', 5, 9, '//', '/*', '*/' ],
    c => [ 'int x = system;', 'c.process', 9, 15, '//', '/*', '*/' ],
    cpp => [ 'int x = system;', 'c.process', 9, 15, '//', '/*', '*/' ],
    rust => [ 'use std::process::Command;', 'rust.process', 5, 26, '//', '/*',
        '*/' ],
    lua => [ 'x = os.execute', 'lua.process', 5, 15, '--', '--[[', ']]' ],
);

# Prefixes: name, bytes, lines and columns by which the line moves, what its
# snippet begins with (the same bytes where left out), and the languages (all).
# A "~" is a line comment, "<" and ">" are one within a line.
my @PREFIXES = (
    [ 'nothing', '', 0, 0 ],
    [ 'a byte order mark', "\xef\xbb\xbf", 0, 0, '' ],
    [ 'a byte order mark and a line', "\xef\xbb\xbf~ a\n", 1, 0 ],
    [ 'LF', "~ a\n\n\n", 3, 0 ],
    [ 'CR LF', "~ a\r\n\r\n", 2, 0 ],
    [ 'LF and CR LF', "~ a\n~ b\r\n~ c\n", 3, 0 ],
    [ 'characters of two, three, four bytes', "~ \xc3\xa9\xe2\x82\xac"
            . "\xf0\x9f\x98\x80\n", 1, 0 ],
    [ 'the same in its line', "< \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 > ", 0,
        'length' ],
    [ 'bytes that are no UTF-8', "~ \xff\xfe\xc3\n", 1, 0 ],
    [ 'the same in its line', "< \xff\xfe > ", 0, 'length' ],
    [ 'half a character', "~ \xe2\x82\n", 1, 0 ],
    [ 'a surrogate', "~ \xed\xa0\x80\n", 1, 0 ],
    [ 'an overlong form', "~ \xc0\xaf\n", 1, 0 ],
    [ 'a form feed and a line', "\f\n", 1, 0 ],
    [ 'a tab', "\t", 0, 1, '', [qw(javascript c cpp rust lua)] ],
    [ 'a tab in a block', "if 1:\n\t", 1, 1, '', ['python'] ],
    [ 'tabs', "<\t\t>\t", 0, 'length' ],
    [ 'NUL in a comment', "~ \0\n", 1, 0 ],
    [ 'NEL in a comment', "~ \xc2\x85\n", 1, 0 ],
    [ 'a no-break space', "\xc2\xa0", 0, 1, undef, ['javascript'] ],
    [ 'a coding line', "# -*- coding: utf-8 -*-\n", 1, 0, undef, ['python'] ],
    [ 'a coding line of one byte', "# coding: latin-1\n", 1, 0, undef,
        ['python'] ],
    [ 'a shebang', "#!/usr/bin/env node\n", 1, 0, undef, ['javascript'] ],
    [ 'a text with escapes', "s = '\\u0041\\n\\x41'; ", 0, 'length', undef,
        [qw(python javascript)] ],
    [ 'a long text over lines', "s = '''a\n\nb'''; ", 2, 6, "b'''; ",
        ['python'] ],
    [ 'a template over lines', "s = `a\n\nb`; ", 2, 4, 'b`; ',
        ['javascript'] ],
    [ 'a continued macro', "#define A \\\n  1\n", 2, 0, undef, [qw(c cpp)] ],
    [ 'digraphs', "int a<:1:>;\n", 1, 0, undef, [qw(c cpp)] ],
);

# Other spellings of the line itself: name, language, source, rule, position.
my @SPELLINGS = (
    [ 'a line that goes on', 'python', "x = \\\neval\n", 'python.eval',
        '2:1-2:5' ],
    [ 'wide letters', 'python', "x = \xef\xbd\x85val\n", 'python.eval',
        '1:5-1:9' ],
    [ 'a coding line that makes other text', 'python',
        "# coding: utf-7\nx = 1\n", 'python.encoding', '1:1-1:16' ],
    [ 'the same in the second line', 'python', "\n# coding=utf_7\n",
        'python.encoding', '2:1-2:15' ],
    [ 'CR alone', 'python', "# a\rx = eval\r", 'python.encoding', undef ],
    [ 'NUL', 'python', "x = 1\n# \0\n", 'python.encoding', '2:3-2:4' ],
    [ 'an escape', 'javascript', "x = \\u0065val;\n", 'javascript.eval',
        '1:5-1:14' ],
    [ 'an escape with braces', 'javascript', "x = e\\u{76}al;\n",
        'javascript.eval', '1:5-1:14' ],
    [ 'LINE SEPARATOR ends a comment', 'javascript',
        "// a\xe2\x80\xa8x = eval;\n", 'javascript.eval', undef ],
    [ 'PARAGRAPH SEPARATOR, too', 'javascript', "// a\xe2\x80\xa9x = eval;\n",
        'javascript.eval', undef ],
    [ 'and CR', 'javascript', "// a\rx = eval;\n", 'javascript.eval', undef ],
    (map {
        my $language = $_;
        [ 'a name over two lines', $language, "int x = sys\\\ntem;\n",
            'c.process', '1:9-2:4' ],
        [ 'a trigraph for the backslash', $language,
            "int x = sys??/\ntem;\n", 'c.spelling', '1:12-1:15' ],
        [ 'a trigraph for #', $language, "\n??=define A 1\n", 'c.spelling',
            '2:1-2:4' ],
        [ 'a digraph for #', $language, "\n%:define A 1\n", 'c.spelling',
            '2:1-2:3' ],
        [ 'CR alone', $language, "// a\rint x = system;\n", 'c.spelling',
            undef ],
    } qw(c cpp)),
    [ 'a raw name', 'rust', "use std::r#process::Command;\n", 'rust.process',
        '1:5-1:28' ],
);

for my $language (sort keys %LANGUAGE) {
    my ($line, $rule, $column, $end, $comment, $open, $close) =
        @{ $LANGUAGE{$language} };
    my (@files, @wanted);
    for my $prefix (@PREFIXES) {
        my ($name, $bytes, $lines, $columns, $shown, $only) = @{$prefix};
        next if $only && !grep { $_ eq $language } @{$only};
        next if $bytes =~ /</ && $bytes =~ />/ && !$open && !$only;
        if (!$only) {
            $bytes =~ s/~/$comment/g;
            $bytes =~ s/</$open/ && $bytes =~ s/>/$close/ if $open;
        }
        $columns = letters($bytes) if $columns eq 'length';
        $shown //= $lines ? '' : text($bytes);
        push @files, file(scalar @files, "$bytes$line\n");
        push @wanted, [ $name, $rule, join('', $lines + 1, ':',
                $column + $columns, '-', $lines + 1, ':', $end + $columns),
            $shown . $line ];
    }
    for my $spelling (grep { $_->[1] eq $language } @SPELLINGS) {
        push @files, file(scalar @files, $spelling->[2]);
        push @wanted, [ @{$spelling}[ 0, 3, 4 ] ];
    }
    my @found = lint($language, @files);
    for my $i (0 .. $#files) {
        my ($name, $its, $place, $snippet) = @{ $wanted[$i] };
        my ($one) = grep { $_->{rule} eq $its } @{ $found[$i] };
        is($one ? place($one) : 'nothing', $place // place($one // {}),
            "$language, $name: where")
            or diag(join ', ', map { "$_->{rule} " . place($_) }
                @{ $found[$i] });
        ok($one, "$language, $name: $its") if !$place;
        is($one ? $one->{snippet} : '', $snippet, "$language, $name: what")
            if defined $snippet;
    }
}

done_testing();

sub file {
    my ($n, $bytes) = @_;
    spew("$dir/$n.src", $bytes);
    return "$dir/$n.src";
}

sub lint {
    my ($language, @paths) = @_;
    open my $out, '-|', build() . '/codr-validator', '--lint', '--json',
        '--language', $language, @paths or die "codr-validator: $!";
    my @answers = map { decode_json($_)->{diagnostics} // [] } <$out>;
    close $out;
    return @answers;
}

sub place {
    my ($found) = @_;
    return join '', map { $_ // '?' } $found->{line}, ':', $found->{column},
        '-', $found->{end_line}, ':', $found->{end_column};
}

# What a client is shown of bytes, and how many characters it is.
sub text {
    my ($bytes) = @_;
    return Encode::decode('UTF-8', $bytes);
}

sub letters {
    return length text(@_);
}
