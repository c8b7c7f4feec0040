# The policy check from the shell: what it prints, where findings are, how it
# ends.

use strict;
use warnings;

use Codr::Host qw(build);
use Codr::Nginx;
use JSON::PP qw(decode_json);
use Test::More;

my $dir = Codr::Nginx::dir();
my $helper = build() . '/codr-sandboxd';
my $validator = build() . '/codr-validator';

sub write_file {
    my ($name, $text) = @_;
    open my $file, '>:raw', "$dir/$name" or die "$name: $!";
    print {$file} $text;
    close $file or die "$name: $!";
    return "$dir/$name";
}

sub run {
    my @command = @_;
    open my $out, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', @command or die;
    local $/;
    my $said = <$out> // '';
    close $out;
    return ($? >> 8, $said);
}

# Findings of a Python source as "LINE:COLUMN-LINE:COLUMN".
sub places {
    my ($source, @options) = @_;
    my ($status, $said) = run($validator, '--lint', '--json', '--language',
        'python', @options, write_file('main.py', $source));
    return join ' ', map {
        "$_->{line}:$_->{column}-$_->{end_line}:$_->{end_column}"
    } @{ decode_json($said)->{diagnostics} };
}

my $good = write_file('good.py', "print(1)\n");
my $bad = write_file('bad.py', "x = 1\nif x:\n    eval('1')\n");

my ($status, $said) = run($helper, '--lint', $good, '--language', 'python');
is($status, 0, 'a program that passes: status 0');
is($said, '', 'and not a word');

($status, $said) = run($helper, '--lint', $bad, '--language', 'python');
is($status, 1, 'one that is refused: status 1');
like($said, qr/^\Q$bad\E:3:5: error: .+ \[[\w.]+\]\n    eval\('1'\)\n/,
    'file, line, column, message, rule, the line');

($status, $said) = run($helper, '--lint', $bad, '--language', 'python',
    '--json');
my $answer = decode_json($said);
is($answer->{verdict}, 'refused', 'as JSON');
is_deeply([ sort keys %{ $answer->{diagnostics}[0] } ],
    [ qw(column end_column end_line line message rule severity snippet) ],
    'every field of a diagnostic');
is($answer->{diagnostics}[0]{snippet}, "eval('1')", 'the snippet');

($status) = run($helper, '--lint', "$dir/none.py", '--language', 'python');
is($status, 2, 'a file that is not there: status 2');
($status) = run($helper, '--lint', $good, '--language', 'cobol');
is($status, 2, 'a language without a policy: status 2');
($status) = run($helper, '--lint', $good, '--language', 'python', '--level',
    'none');
is($status, 2, 'a level that is none: status 2');

# Languages by any of their names, in any case.

for my $name (qw(python Python PYTHON py python3)) {
    ($status) = run($helper, '--lint', $bad, '--language', $name);
    is($status, 1, "$name is Python");
}
my %bad = (
    'js' => "eval('1')\n", 'Node' => "eval('1')\n",
    'NODEJS' => "eval('1')\n", 'JavaScript' => "eval('1')\n",
    'C' => "int main(void) { system(\"ls\"); }\n",
    'c++' => "int main() { system(\"ls\"); }\n",
    'CXX' => "int main() { system(\"ls\"); }\n",
    'rs' => "use std::process::Command;\nfn main() {}\n",
    'Lua' => "os.execute('ls')\n",
);
for my $name (sort keys %bad) {
    my $file = write_file("bad.$name", $bad{$name});
    ($status, $said) = run($helper, '--lint', $file, '--language', $name);
    is($status, 1, "$name is a language") or diag($said);
    like($said, qr/^\Q$file\E:1:\d+: error: /, 'that refuses');
}

# Those of a configuration.

my $lesson = write_file('lesson.scm', <<'SCM');
; inherits: python/standard.scm
; except: python.eval
((call function: (identifier) @refuse) (#eq? @refuse "sorted")
  (#set! rule "lesson.sorted") (#set! message "Not %s."))
SCM
my $config = write_file('languages.conf', <<"CONF");
codr_language lesson {
    alias   third;
    source  main.py;
    run     /usr/bin/python3 \$source;
    grammar python;
    policy  $lesson;
}
CONF
my $sorted = write_file('sorted.py', "print(sorted([eval('1')]))\n");
($status, $said) = run($helper, '--lint', $sorted, '--language', 'Third',
    '--config', $config);
is($status, 1, 'a language of the operator, by its alias') or diag($said);
like($said, qr/Not sorted\. \[lesson\.sorted\]$/m, 'has its own rules');
unlike($said, qr/python\.eval/, 'and not those it drops');
($status, $said) = run($helper, '--lint', $sorted, '--language', 'python',
    '--config', $config);
is($status, 2, 'a language that it has not: status 2');
like($said, qr/no language "python"/, 'says so');

# With --json it is JSON whatever happens.

for my $case (
    [ 'a file that is not there', "$dir/none.py", '--language', 'python' ],
    [ 'a directory', $dir, '--language', 'python' ],
    [ 'a language that is none', $good, '--language', 'cobol' ],
    [ 'no language', $good ],
    [ 'a level that is none', $good, '--language', 'python', '--level', 'x' ],
    [ 'an option that is none', $good, '--language', 'python', '--x' ],
    [ 'a configuration that is not there', $good, '--language', 'python',
        '--config', "$dir/none.conf" ],
    [ 'policies that are not there', $good, '--language', 'python',
        '--policies', "$dir/none" ],
) {
    my ($name, $file, @options) = @{$case};
    open my $out, '-|', 'sh', '-c', 'exec "$@" 2>/dev/null', 'sh', $helper,
        '--lint', $file, '--json', @options or die;
    my $text = join '', <$out>;
    close $out;
    is($? >> 8, 2, "$name: status 2");
    is(eval { decode_json($text)->{verdict} }, 'unavailable', 'JSON')
        or diag($text);
}
my $odd = write_file("bad\xff\"name.py", "eval('1')\n");
($status, $said) = run($helper, '--lint', $odd, '--language', 'py', '--json');
like(eval { decode_json($said)->{file} } // '', qr/bad\x{fffd}"name\.py$/,
    'the name of a file is anything, JSON is UTF-8');
($status, $said) = run($validator, '--lint', '--language', 'python', '--nodes',
    '3', '--json', $good);
is($status, 1, 'more nodes than allowed: refused');
is(decode_json($said)->{diagnostics}[0]{rule}, 'policy.too_complex',
    'by its rule');

# Where a finding is, whatever the encoding.

is(places("eval\n"), '1:1-1:5', 'at the first character');
is(places("\xef\xbb\xbfeval\n"), '1:1-1:5', 'a byte order mark is no column');
is(places("a = 1\r\nx = eval\r\n"), '2:5-2:9', 'CR LF is one end of line');
is(places("if 1:\n\teval\n"), '2:2-2:6', 'a tab is one column');
is(places("x = '\xf0\x9f\x98\x80\xc3\xa9', eval\n"), '1:11-1:15',
    'characters, not bytes, not UTF-16');
is(places("# \xff\xfe\nx = '\xe9', eval\n"), '2:10-2:14',
    'a byte that is no UTF-8 is a character');
is(places("# \0 \xff\n"), '1:3-1:4', 'and so is a NUL, which is refused');
is(places("x = \xef\xbd\x85\xef\xbd\x96\xef\xbd\x81\xef\xbd\x8c\n"),
    '1:5-1:9', 'letters Python holds for the same');
is(places("eval(1)\nexec(2)\n"), '1:1-1:5 2:1-2:5', 'in their order');
is(scalar(() = places(join '', map {"eval($_)\n"} 1 .. 99) =~ /-/g), 20,
    'twenty of them at most');

is(places("f(1\n"), '', 'a syntax error is no finding');
is(places("x = 1\nf(1,\ny = 2\n", '--level', 'strict'), '2:2-2:3',
    'at strict it is: the bracket nobody closes');

# A mistake in a policy has a file, a line, a column.

mkdir "$dir/policies" or die;
mkdir "$dir/policies/python" or die;
sub mistake {
    my ($text) = @_;
    write_file('policies/python/light.scm', $text);
    my ($code, $words) = run($validator, '--check-policies', '--policies',
        "$dir/policies", '--plan', 'python');
    is($code, 1, 'a mistake is told') or diag($words);
    return $words =~ s/^\Q$dir\E\/policies\///r;
}

# So has one that is not there: it would be no policy.

for my $case (
    [ 'a level', qr/^\Q$dir\E\/policies\/python\/light.scm:1:1: .*No such/,
        '--policies', "$dir/policies", '--plan', 'python' ],
    [ 'a file', qr/^\Q$dir\E\/none.scm:1:1: .*No such file/,
        '--plan', "python=:$dir/none.scm" ],
    [ 'a directory', qr/^\Q$dir\E\/none:1:1: no directory of policies$/,
        '--policies', "$dir/none", '--plan', 'python' ],
) {
    my ($name, $why, @options) = @{$case};
    ($status, $said) = run($validator, '--check-policies', @options);
    is($status, 1, "$name that is not there is a mistake");
    like($said, $why, 'and named');
}
($status) = run($validator, '--check-policies', '--policies', "$dir/none",
    '--plan', 'cobol');
is($status, 0, 'a language without a policy needs none');

my $rule = '(#set! rule "a.b") (#set! message "no")';
like(mistake("\n  (nothing) \@refuse\n"), qr/^python\/light.scm:2:4: .*nothing/,
    'a node that is none');
like(mistake("((identifier) \@refuse\n"), qr/^python\/light.scm:\d+:\d+: /,
    'a bracket');
like(mistake("((call fun: (_) \@refuse) $rule)\n"),
    qr/^python\/light.scm:1:8: .*field "fun"/, 'a field that is none');
like(mistake("\n((identifier) \@refuse (#match? \@refuse \"(\") $rule)\n"),
    qr/^python\/light.scm:2:1: .*regular expression/, 'a regular expression');
like(mistake("((identifier) \@refuse (#near? \@refuse \"a\") $rule)\n"),
    qr/^python\/light.scm:1:1: #near\?/, 'a predicate that is none');
like(mistake("(identifier) \@refuse\n"), qr/light.scm:1:1: .*rule/,
    'a pattern without a rule');
like(mistake("((identifier) \@x $rule)\n"), qr/light.scm:1:1: .*\@refuse/,
    'a pattern that refuses nothing');
like(mistake("; inherit: strict\n"), qr/light.scm:1:1: "inherit:"/,
    'a word of the head that is none');
like(mistake("; inherits: light\n"), qr/too many files inherit/,
    'a file that inherits itself');
like(mistake("; inherits: ../none.scm\n"), qr/light.scm:1:1: no file/,
    'one that inherits nothing');

done_testing();
