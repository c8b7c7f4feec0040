# Sources made to hurt a parser: a verdict in every language, soon, and never a
# crash; and through the whole of codr a refusal or an answer, never nothing.

use strict;
use warnings;

use Codr::Host qw(build need slurp spew);
use Codr::Nginx;
use Codr::Policy qw(blocks);
use JSON::PP qw(decode_json);
use List::Util qw(max);
use FindBin;
use MIME::Base64 qw(encode_base64);
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

need(qw(module helper));

my $dir = Codr::Nginx::dir();
my $validator = build() . '/codr-validator';
my $SECONDS = 60;       # of all sources of a language, on any machine

srand 20_240_607;
my $random = join '', map { chr int rand 256 } 1 .. 65_536;
my %SOURCES = (
    (map { ("66000 $_" => $_ x 66_000) } qw/( [ { ) ] } < " ' `/),
    '100000 nested' => '(' x 100_000 . ')' x 100_000,
    '20000 nested' => 'x = ' . '(' x 20_000 . '1' . ')' x 20_000,
    'one line' => 'x = ' . join(' + ', 1 .. 13_000),
    'one name' => 'x' x 65_536,
    'blanks' => ' ' x 65_536,
    'lines' => "\n" x 65_536,
    'tabs deeper and deeper' => join('', map { ' ' x $_ . "if x:\n" } 1 .. 300),
    'random' => $random,
    'half a character' => "x = '\xe2\x82",
    'NUL' => "\0" x 65_536,
    'surrogates' => "x = '" . "\xed\xa0\x80" x 1000 . "'",
    'comments' => '/*' x 32_000,
    'unary' => 'x = ' . '-' x 60_000 . '1',
    'calls' => 'f' . '(f' x 10_000,
    'members' => 'a' . '.b' x 30_000,
    'strings' => 'x = ' . join(' + ', map {"'a$_'"} 1 .. 7000),
    'names' => join(' ', map {"a$_"} 1 .. 11_000),
    'errors' => "def )(\n" x 9000,
    'one name again and again' => "x = x + 'a'\n" x 4000,
    'empty' => '',
);

# Honest, and of the kind that some parser takes seconds for.
my $COMMENTED = "def f():\n    x = 42\n"
    . join('', map {"    # y = {'a': $_} that isn't so any more\n"} 1 .. 1400)
    . "    return x\nprint(f())\n";

# The check alone, without the bounds that its process has: Lua's parser would
# take seconds.
for my $language (qw(python javascript c cpp rust)) {
    my (@files, %name);
    for my $source (sort keys %SOURCES) {
        my $file = "$dir/" . @files . '.src';
        spew($file, $SOURCES{$source});
        push @files, $file;
        $name{$file} = $source;
    }
    my $began = time;
    open my $out, '-|', $validator, '--lint', '--json', '--level', 'strict',
        '--language', $language, @files or die;
    my @answers = map { decode_json($_) } <$out>;
    close $out;
    is($? & 127, 0, "$language: no crash");
    is(scalar @answers, scalar @files, "$language: a verdict for each")
        or diag('the last one was ' . $name{ $files[ @answers - 1 ] });
    my @odd = grep { $_->{verdict} !~ /^(?:passes|refused|unavailable)$/ }
        @answers;
    is(scalar @odd, 0, "$language: one of three");
    cmp_ok(time - $began, '<', $SECONDS, "$language: soon");
}

# Work is counted, so these are the same everywhere: what is honest passes
# however dense it is, what is not is told that it could not be checked.
for my $language (qw(python javascript c cpp rust)) {
    my ($file, $text, $n) = ("$dir/honest.src", '', 0);
    my @texts = map { $_->{text} }
        blocks("$FindBin::Bin/honest/$language.txt");
    while (length($text) + length $texts[ $n % @texts ] <= 65_536) {
        $text .= $texts[ $n++ % @texts ];
    }
    spew($file, $text);
    is(verdict_of($language, 'standard', $file), 'passes',
        "$language: 64 KB of honest programs");
}
for (['python', 'names'], ['python', 'one name again and again'],
    ['rust', 'names'], ['c', 'errors'], ['cpp', 'errors'],
    ['javascript', 'names'])
{
    my ($language, $source) = @{$_};
    spew("$dir/hostile.src", $SOURCES{$source});
    is(verdict_of($language, 'standard', "$dir/hostile.src"), 'unavailable',
        "$language: $source: too much work");
}

# The same on the way of a job, where a check may be 32 ms of work for what is
# no longer than 64 KB.  A parser can be stopped between its steps, the longest
# of which take some milliseconds.  The clock bounds it, too, and much later:
# the role knows what its children have used, with all that they use before
# they have a source.

# A build with sanitizers has twenty times as much time.

my $TIMES = $ENV{CODR_SANITIZER} ? 20 : 1;
my $MOST_US = 32_000;           # work of a check
my $STEP_US = 20_000;
my $MOST = 0.5 * $TIMES;        # CPU seconds
my $ALL = 0.3 * $TIMES;         # on average

my @LANGUAGES = qw(python javascript c cpp rust lua);
my $nginx = Codr::Nginx->new(policy => 0, log => 'debug',
    location => 'codr_code_size 1m;',
    http => join('', map { "codr_language x-$_ { source main.txt;"
        . " run /usr/bin/true; grammar $_; policy $_; }\n" } @LANGUAGES));
$nginx->ready;

my $role = role();
ok($role, 'there is a role that checks');
for my $language (@LANGUAGES) {
    my (@odd, @long, @much);
    my ($jobs, $began, $verdicts) = (0, used(), scalar verdicts());
    for my $source (sort keys %SOURCES) {
        my $before = used();
        my $answer = $nginx->post('/run', { language => "x-$language",
            files => [ { name => 'main.txt', encoding => 'base64',
                content => encode_base64($SOURCES{$source}, '') } ] });
        my $status = $answer->{status};
        push @odd, "$source: $status" if $status != 200 && $status != 422;
        push @long, $source if used() - $before > $MOST;
        my @took = verdicts();
        if (@took > $verdicts) {
            my $over = $took[-1] - $MOST_US - $STEP_US
                - max(0, length($SOURCES{$source}) - 65_536);
            push @much, "$source: $took[-1] us" if $over > 0;
        }
        $verdicts = @took;
        $jobs++;
    }
    is("@much", '', "x-$language: no verdict is more work than it may be");
    is("@odd", '', "x-$language: each runs or is refused");
    is("@long", '', "x-$language: none has more than its time");
    cmp_ok((used() - $began) / $jobs, '<', $ALL, "x-$language: nor have all");
}
is(role(), $role, 'the role is the same');

for my $source ('66000 (', '66000 [', '66000 {', '100000 nested') {
    my $answer = $nginx->post('/run', { language => 'python',
        code => $SOURCES{$source} });
    is($answer->{status}, 422, "$source: refused");
    is($answer->{json}{diagnostics}[0]{rule}, 'policy.too_complex',
        'as more than anybody would read');
}
my $unchecked = $nginx->post('/run', { language => 'python',
    code => $SOURCES{'one name again and again'} });
is($unchecked->{status}, 422, 'what is too much work is refused');
is($unchecked->{json}{diagnostics}[0]{rule}, 'policy.unavailable',
    'as what could not be checked');
is($nginx->post('/run', { language => 'python', code => $COMMENTED })
    ->{json}{stdout}, "42\n", 'a long comment is no reason to refuse');
my $answer = $nginx->post('/run', { language => 'python',
    code => $COMMENTED . "eval('1')\n" });
is($answer->{status}, 422, 'and hides nothing');
is($answer->{json}{diagnostics}[0]{line}, 1405, 'whose line is known');
is($nginx->post('/run', { language => 'python', code => "print(6 * 7)\n" })
    ->{json}{stdout}, "42\n", 'and the next job runs');

done_testing();

sub role {
    my $base = $nginx->uid_base;
    for my $dir (glob '/proc/[0-9]*') {
        my $line = join ' ', split /\0/, slurp("$dir/cmdline");
        my ($parent) = slurp("$dir/status") =~ /^PPid:\s+(\d+)/m;
        next if $line !~ /^codr-validator serve .*--uid $base\b/;
        next if slurp("/proc/$parent/cmdline") =~ /^codr-validator/;
        return $dir =~ s{.*/}{}r;
    }
    return;
}

sub verdict_of {
    my ($language, $level, $file) = @_;
    open my $out, '-|', $validator, '--lint', '--json', '--level', $level,
        '--language', $language, $file or die;
    my ($answer) = map { decode_json($_) } <$out>;
    close $out;
    return $answer->{verdict};
}

# Microseconds of work of all verdicts so far.
sub verdicts {
    my @took = $nginx->log =~ /a verdict took \d+ us .*, for (\d+) us of/g;
    return @took;
}

# CPU seconds of its children that have ended.
sub used {
    my (undef, $rest) = split /\) /, slurp("/proc/$role/stat"), 2;
    my @field = split ' ', $rest;
    return ($field[13] + $field[14]) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}
