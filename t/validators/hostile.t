# Sources made to hurt a parser: a verdict in every language, soon, and never a
# crash; and through the whole of codr a refusal or an answer, never nothing.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(build need spew);
use Codr::Nginx;
use JSON::PP qw(decode_json);
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
    'empty' => '',
);

for my $language (qw(python javascript c cpp rust lua)) {
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

# The same on the way of a job: refused, or its language's own error.

my $nginx = Codr::Nginx->new(policy => 0, location => 'codr_code_size 1m;');
$nginx->ready;
for my $source ('66000 (', '66000 [', '66000 {', '100000 nested', 'members') {
    my $answer = $nginx->post('/run', { language => 'python',
        code => $SOURCES{$source} });
    ok($answer->{status} == 200 || $answer->{status} == 422,
        "$source: an answer") or diag($answer->{body});
}
is($nginx->post('/run', { language => 'python', code => "print(6 * 7)\n" })
    ->{json}{stdout}, "42\n", 'and the next job runs');

done_testing();
