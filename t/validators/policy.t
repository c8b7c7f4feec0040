# Policies on the way of a job: refused before anything runs, over a socket and
# with POST; warnings; what happens when nothing can tell.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(build need slurp spew wait_until);
use Codr::Nginx;
use Test::More;

need(qw(module helper));

my $nginx = Codr::Nginx->new(policy => 0, location => '', server => <<'CONF');
    location = /off { codr_exec; codr_policy off; }
    location = /warn { codr_exec; codr_policy warn; }
    location = /light { codr_exec; codr_policy block light; }
    location = /strict { codr_exec; codr_policy block strict; }
    location = /nodes { codr_exec; codr_ast_nodes 10; }
CONF
$nginx->ready;

my %BAD = (language => 'python',
    code => "print('ran')\nx = \"\x{e9}\x{1f600}\"; eval('1')\n");
my %GOOD = (language => 'python', code => "print(1 + 1)\n");

# POST.

my $answer = $nginx->post('/run', {%GOOD});
is($answer->{status}, 200, 'what a policy allows runs');
is($answer->{json}{stdout}, "2\n", 'as ever');

$answer = $nginx->post('/run', {%BAD});
my $json = $answer->{json};
is($answer->{status}, 422, 'what it refuses does not: 422');
is($json->{code}, 'rejected', 'code');
is($json->{detail}, $json->{message}, 'detail');
my $found = $json->{diagnostics};
is(scalar @{$found}, 1, 'one finding');
is_deeply([ sort keys %{ $found->[0] } ],
    [ qw(column end_column end_line line message rule severity snippet) ],
    'every field, and no other');
is("$found->[0]{line}:$found->[0]{column}-$found->[0]{end_line}:"
    . $found->[0]{end_column}, '2:11-2:15', 'columns are characters');
is($found->[0]{severity}, 'error', 'severity');
is($found->[0]{snippet}, "x = \"\x{e9}\x{1f600}\"; eval('1')",
    'the snippet is the line');
unlike($answer->{body}, qr/ran/, 'nothing ran');

$answer = $nginx->post('/off', {%BAD});
is($answer->{json}{stdout}, "ran\n", 'off: it runs');
$answer = $nginx->post('/light', {%BAD});
is($answer->{json}{stdout}, "ran\n", 'light: it runs');
$answer = $nginx->post('/warn', {%BAD});
is($answer->{json}{stdout}, "ran\n", 'warn: it runs');
$answer = $nginx->post('/strict', { language => 'python',
    code => "import math\nprint(math.pi\n" });
is($answer->{status}, 422, 'strict: a syntax error is refused');
like($answer->{json}{diagnostics}[0]{rule}, qr/syntax/, 'by its rule');
is($answer->{json}{diagnostics}[0]{line}, 2, 'in its line');
$answer = $nginx->post('/run', { language => 'python', code => "print(1\n" });
is($answer->{status}, 200, 'elsewhere the language itself tells');
like($answer->{json}{stderr}, qr/SyntaxError/, 'in its words');

$answer = $nginx->post('/nodes', { language => 'python',
    code => join('', map {"print($_)\n"} 1 .. 20) });
is($answer->{status}, 422, 'more syntax nodes than allowed: refused');
is($answer->{json}{diagnostics}[0]{rule}, 'policy.too_complex', 'says why');

# The process that checks has nearly nothing it may call, however much there
# is to do.

$answer = $nginx->post('/run', { language => 'python',
    code => join('', map {"eval('$_')\n"} 1 .. 500) });
is($answer->{status}, 422, 'a great many findings');
is(scalar @{ $answer->{json}{diagnostics} }, 20, 'twenty are told');
is($answer->{json}{diagnostics}[19]{rule}, 'python.eval', 'by their rule');
is($answer->{json}{diagnostics}[19]{line}, 20, 'the first ones');
$answer = $nginx->post('/run', { language => 'python',
    code => 'x = "' . '\\n' x 24_000 . "\"\nprint(len(x))\n" });
is($answer->{json}{stdout}, "24000\n", 'a long text of escapes is fine');

# More than one file: the program's own sources are looked at, data is not.

$answer = $nginx->post('/run', { language => 'python', files => [
        { name => 'main.py', content => "import helper\n" },
        { name => 'data.txt', content => "eval('1')\n" },
        { name => 'helper.py', content => "\neval('1')\n" } ] });
is($answer->{status}, 422, 'a file beside the main one is looked at');
is($answer->{json}{diagnostics}[0]{file}, 'helper.py', 'and named');
is($answer->{json}{diagnostics}[0]{line}, 2, 'its line');
$answer = $nginx->post('/run', { language => 'python', files => [
        { name => 'main.py', content => "print(open('data.txt').read())\n" },
        { name => 'data.txt', content => "eval('1')\n" } ] });
is($answer->{json}{stdout}, "eval('1')\n\n", 'data is not');

# Python reads lines otherwise than it looks: what seems to be a comment, or a
# text, is a program.

for my $code ("# hidden\rimport os\ros.system('echo ran')\r",
    "x = 1 #\0'''\n\nimport os\nos.system('echo ran')\n#\0'''\n")
{
    $answer = $nginx->post('/light', { language => 'python', code => $code });
    is($answer->{status}, 422, 'lines that end elsewhere: refused');
    is($answer->{json}{diagnostics}[0]{rule}, 'python.encoding',
        'by their rule');
}

# What a source includes is looked at, whatever it is called.

my $hidden = "#include <stdlib.h>\nstatic int run(void)"
    . " { return system(\"echo ran\"); }\n";
for my $name (qw(hidden.h dir/hidden.hpp hidden.inc hidden hidden.txt)) {
    $answer = $nginx->post('/run', { language => 'c', files => [
            { name => 'main.c', content =>
                "#include \"$name\"\nint main(void) { return run(); }\n" },
            { name => $name, content => $hidden } ] });
    is($answer->{status}, 422, "a file that is included, $name: refused");
    is($answer->{json}{diagnostics}[0]{rule}, $name =~ /txt/ ? 'c.include'
        : 'c.process', 'by its rule');
    is($answer->{json}{diagnostics}[0]{file}, $name, 'and named')
        if $name !~ /txt/;
}
$answer = $nginx->post('/run', { language => 'c', files => [
        { name => 'main.c', content => "#include <stdio.h>\n"
                . "#include \"three.h\"\nint main(void)"
                . " { printf(\"%d\\n\", three()); return 0; }\n" },
        { name => 'three.h', content => "static int three(void)"
                . " { return 3; }\n" },
        { name => 'data.txt', content => $hidden } ] });
is($answer->{json}{stdout}, "3\n", 'an honest header is fine, data is free');

# A compiler reads nothing before the verdict.

$answer = $nginx->post('/run', { language => 'c',
    code => "#error reached\nint main(void) { system(\"ls\"); }\n" });
is($answer->{status}, 422, 'a compiled program is refused before');
ok(!$answer->{json}{compile}, 'its compiler has not begun');

# The socket.

my $socket = $nginx->ws(path => '/run');
my $job = $socket->run_job(%BAD);
is(scalar @{ $job->{messages} }, 1, 'one message');
is($job->{error}{code}, 'rejected', 'error, rejected');
is($job->{error}{diagnostics}[0]{line}, 2, 'with diagnostics');
$job = $socket->run_job(%GOOD);
is($job->{status}, 'ok', 'the socket goes on');
ok(!exists $job->{started}{warnings}, 'without warnings there are none');

$job = $nginx->run_job(path => '/warn', %BAD);
is($job->{started}{warnings}[0]{line}, 2, 'warn: started tells the findings');
is($job->{status}, 'ok', 'and the program runs');

# Nobody can tell.

my ($first, @cells) = $nginx->validators;
ok($first, 'there is a validator');
cmp_ok(scalar @cells, '>=', 2, 'and processes wait for sources');
my @held = $nginx->hold_validators;
$answer = $nginx->post('/warn', { language => 'python',
    code => "print('stopped')\n" });
is($answer->{status}, 422, 'one that is stopped refuses, also in warn mode');
is($answer->{json}{diagnostics}[0]{rule}, 'policy.unavailable', 'its rule');
is($answer->{json}{diagnostics}[0]{severity}, 'error', 'its severity');
unlike($answer->{body}, qr/"stdout"/, 'nothing ran');
kill 'CONT', @held;
$answer = $nginx->post('/run', { language => 'python',
    code => "print('goes on')\n" });
is($answer->{json}{stdout}, "goes on\n", 'and goes on afterwards');

($first, @cells) = $nginx->validators;
kill 'KILL', @cells;
ok(wait_until(20, sub {
        my (undef, @now) = $nginx->validators;
        my %gone = map { $_ => 1 } @cells;
        @now >= @cells && !grep { $gone{$_} } @now;
    }), 'those who die are replaced');
$answer = $nginx->post('/run', { language => 'python',
    code => "print('others')\n" });
is($answer->{json}{stdout}, "others\n", 'by some that tell');

@held = $nginx->hold_validators;
$socket = $nginx->ws(path => '/warn');
$socket->execute(language => 'python', code => "print('unseen')\n");
kill 'KILL', $first;
$job = $socket->finish;
ok($job->{complete}
    || $job->{error}{diagnostics}[0]{rule} eq 'policy.unavailable',
    'a validator that dies refuses, or another one tells')
    or diag(explain($job));
ok(wait_until(20, sub {
        my ($pid) = $nginx->validators;
        $pid && $pid != $first;
    }),
    'another one is started');
ok(wait_until(20, sub { !grep { -d "/proc/$_" } @held }),
    'and nobody is left of the first');
$answer = $nginx->post('/run', {%GOOD});
is($answer->{json}{stdout}, "2\n", 'the next job is checked by it');
is($nginx->post('/run', {%BAD})->{status}, 422, 'and refused by it');

# Policies are read again on reload; a mistake stops the reload.

my $own = $nginx->path('own.scm');
spew($own, <<'SCM');
; inherits: python/standard.scm
; except: python.eval
((call function: (identifier) @refuse)
  (#eq? @refuse "sorted")
  (#set! rule "lesson.sorted")
  (#set! message "Not %s this time."))
((call function: (identifier) @refuse)
  (#eq? @refuse "min")
  (#set! rule "lesson.min") (#set! severity "warning")
  (#set! message "Better without."))
SCM
my $languages = $nginx->path('own.conf');
spew($languages, slurp($nginx->path('languages.conf'))
    =~ s/(codr_language python \{)/$1 policy $own;/r);
$nginx->reload(languages => 0, http => "include $languages;");
ok(wait_until(20, sub {
        $nginx->post('/run', { language => 'python',
            code => "print(sorted([1]))\n" })->{status} == 422;
    }), 'a policy of the operator, after a reload');
$answer = $nginx->post('/run', { language => 'python',
    code => "sorted([])\n" });
is($answer->{json}{diagnostics}[0]{message}, 'Not sorted this time.',
    'its message');
$answer = $nginx->post('/run', {%BAD});
is($answer->{json}{stdout}, "ran\n", 'a rule it drops');
is($nginx->post('/run', { language => 'python',
        code => "import os\nos.system('ls')\n" })->{status}, 422,
    'one it inherits');
$job = $nginx->run_job(path => '/run', language => 'python',
    code => "print(min(1, 2))\n");
is($job->{started}{warnings}[0]{rule}, 'lesson.min',
    'a warning is told, and the program runs');

my ($ok, $said) = Codr::Nginx->check(policy => 0, languages => 0,
    http => "include $languages;");
ok($ok, 'nginx -t likes it') or diag($said);
spew($own, "; inherits: python/standard.scm\n\n((calls) \@refuse)\n");
($ok, $said) = Codr::Nginx->check(policy => 0, languages => 0,
    http => "include $languages;");
ok(!$ok, 'nginx -t does not like a mistake');
like($said, qr/\[emerg\].*\Q$own\E:3:3: .*calls/, 'and says where it is');
my ($before) = slurp($languages) =~ /\A(.*?)policy \Q$own\E;/s;
my $line = 1 + $before =~ tr/\n//;
like($said, qr/ in language "python" in \Q$languages\E:$line$/m,
    'and where nginx was told of it');
($ok, $said) = Codr::Nginx->check(languages => 0,
    http => "include $languages;");
ok($ok, 'where no policy is asked for none is read');
my $none = $nginx->path('none');
($ok, $said) = Codr::Nginx->check(policy => 0, http => "codr_policies $none;");
ok(!$ok && $said =~ /\[emerg\].*\Q$none\E:1:1: no directory of policies/,
    'a directory of policies that is not there') or diag($said);
my $words = $said =~ / in language "\w+" in (\S+):(\d+)$/m
    ? (split /\n/, slurp($1))[ $2 - 1 ] : '';
like($words, qr/codr_policies \Q$none\E;/, 'is a mistake of its directive');

for my $case ([ 'codr_policy maybe;', 'maybe' ], [ 'codr_policy off light;',
        'light' ], [ 'codr_policy block hard;', 'hard' ],
    [ 'codr_ast_nodes 0;', '0' ]) {
    ($ok, $said) = Codr::Nginx->check(policy => 0, location => $case->[0]);
    ok(!$ok && $said =~ /"\Q$case->[1]\E"/, "$case->[0] is refused");
}

done_testing();
