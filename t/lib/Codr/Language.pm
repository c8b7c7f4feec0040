package Codr::Language;

# What every language must be able to do, as one list of checks over a table of
# programs: t/languages/ has a table each.

use strict;
use warnings;
use utf8;

use Codr::Client;
use Codr::Host qw(need slow);
use Codr::Nginx;
use Encode qw(encode);
use Test::More;

binmode $_, ':encoding(UTF-8)'
    for map { Test::More->builder->$_ } qw(output failure_output);

my $UNICODE = "aä€😀z";

# What names a place on the host and not in the sandbox.
my $HOST_PATH = qr{(?:^|[\s"'(])/(?:home|root|tmp|var|run|work|build)/};

my ($nginx, $language, $p);

# Runs all checks.  The table: name, the path of its program on the host, then
# programs by what they do:
#
#   hello    prints "Hello " and the string of $UNICODE
#   guess    a game: prompts "Guess: ", answers "higher", "lower", "yes, 42"
#   count    reads all of stdin, prints its bytes and their sum
#   echo     prints every line in brackets
#   bytes    writes the string of $UNICODE byte by byte, slowly
#   broken   has an error in line 3
#   fails    ends by a run-time error in its line 3, or calls what does
#   exit     exits with its first argument
#   segv abort   die of that signal
#   args     prints its arguments, each in brackets, in one line
#   files    [ name, content, ... ]: main file first; prints "from helper: 42"
#   threads  four of them add 1 to 1000 each; prints the sum, 2002000
#   streams  "out" to stdout, "err" to stderr
#
# and what is expected of broken and fails: a regex each in broken_says,
# fails_says, and fails_status (error).  more: code for checks of its own.
sub check {
    (my %table) = @_;
    $p = \%table;
    $language = $p->{name};
    need(qw(module helper), $p->{needs});
    $nginx = Codr::Nginx->new(path => 'shipped');
    ok($nginx->ready, 'the server is ready');
    for my $part (qw(hello guess count echo bytes broken fails exit died args
        files threads streams)) {
        my $check = __PACKAGE__->can("check_$part");
        subtest $part => $check;
    }
    $p->{more}->($nginx) if $p->{more};
    $nginx->finish;
    done_testing();
}

sub job {
    my ($program, %more) = @_;
    return $nginx->run_job(language => $language, code => $p->{$program},
        timeout => 60, %more);
}

sub ended_ok {
    my ($job, $name) = @_;
    is($job->{status}, 'ok', "$name ends well")
        or diag(explain($job->{messages}[-1]), $job->{stdout}, $job->{stderr});
}

sub check_hello {
    my $job = job('hello');
    ended_ok($job, 'hello');
    is($job->{stdout}, "Hello $UNICODE\r\n", 'it says hello');
    my $end = $job->{complete};
    is($end->{exit_code}, 0, 'exit code 0');
    is($end->{execution_time}, $end->{wall_time}, 'both names of the time');
    cmp_ok($end->{wall_time}, '>', 0, 'it took time');
    cmp_ok($end->{cpu_time},  '>', 0, 'it took CPU time');
    cmp_ok($end->{cpu_time},  '<', 5 * slow(), 'but not much');
    is($end->{output_bytes}, length(encode('UTF-8', $job->{stdout})),
        'the output is counted in bytes');
    ok(!$end->{truncated}, 'nothing is cut');
    my @stages = $p->{compiled} ? qw(compile run) : qw(run);
    is("@{ $job->{stages} }", "@stages", 'the stages');
    is(exists $end->{compile} ? 1 : 0, $p->{compiled} ? 1 : 0,
        'figures of the compile stage');

    my $post = $nginx->post('/run', { language => $language,
        code => $p->{hello} });
    is($post->{status}, 200, 'POST answers 200');
    is($post->{json}{stdout}, "Hello $UNICODE\n", 'the same through pipes')
        or diag($post->{body});
}

sub check_guess {
    my $client = $nginx->ws;
    $client->execute(language => $language, code => $p->{guess});
    ok($client->expect(qr/Guess: $/, 60), 'a prompt without a newline');
    $client->input("50\n");
    ok($client->expect(qr/^lower\r\nGuess: $/), 'too high');
    $client->input("7\n");
    ok($client->expect(qr/^higher\r\nGuess: $/), 'too low');
    $client->input("42\n");
    ok($client->expect(qr/^yes, 42\r\n$/), 'right');
    ended_ok($client->finish, 'the game');
}

sub check_count {
    my $line = 'x' x 63 . "\n";
    my $data = $line x (1 << 14);
    my $sum = 0;
    $sum += $_ for unpack 'C*', $line;
    my $answer = $nginx->post('/run', { language => $language,
        code => $p->{count}, stdin => $data });
    is($answer->{status}, 200, 'POST answers 200');
    is($answer->{json}{stdout}, sprintf("%d %d\n", 1 << 20, $sum << 14),
        '1 MB of stdin is read') or diag(substr $answer->{body}, 0, 500);
    is($answer->{json}{status}, 'ok', 'and the program ends well');
}

sub check_echo {
    my $client = $nginx->ws;
    $client->execute(language => $language, code => $p->{echo},
        tty => JSON::PP::false);
    is($client->wait_for('started')->{language}, $language, 'started');

    # A character of the message is split at every byte.
    my $message = Codr::Client::encode({ type => 'input',
        data => "$UNICODE\n" });
    my @bytes = split //, $message;
    while (@bytes) {
        my $byte = shift @bytes;
        $client->send_frame($byte, op => $byte eq '{' ? 1 : 0,
            fin => @bytes ? 0 : 1);
    }
    ok($client->expect(qr/^\[\Q$UNICODE\E\]\n$/, 60), 'unicode in and out');
    $client->input("two\nthree");
    $client->send(type => 'eof');
    my $job = $client->finish;
    ended_ok($job, 'the end of input');
    is($job->{stdout}, "[$UNICODE]\n[two]\n[three]\n", 'every line came back');
    is($job->{stderr}, '', 'nothing on stderr');
}

sub check_bytes {
    my $job = job('bytes');
    ended_ok($job, 'byte by byte');
    is($job->{stdout}, $UNICODE, 'characters are joined again');
    my $at = 0;
    my @wrong = grep {
        my $wrong = $_->{offset} != $at;
        $at = $_->{end};
        $wrong;
    } grep { $_->{type} eq 'output' } @{ $job->{messages} };
    is(scalar @wrong, 0, 'offsets follow each other');
    is($at, length(encode('UTF-8', $UNICODE)), 'and end at the last byte');
}

sub check_broken {
    my $job = job('broken');
    my $says = $p->{compiled} ? $job->{error}{message} : $job->{stdout};
    is($job->{status}, $p->{compiled} ? 'compile_error' : 'error',
        'an error in the source');
    like($says // '', $p->{broken_says}, 'with its line');
    unlike($says // '', $HOST_PATH, 'without a path of the host');
    return if !$p->{compiled};
    is($job->{error}{compile}{output}, $says, 'the compiler is quoted');
    my $post = $nginx->post('/run', { language => $language,
        code => $p->{broken} });
    is($post->{status}, 200, 'POST answers 200');
    is($post->{json}{status}, 'compile_error', 'and says the same');
    is($post->{json}{exit_code}, undef, 'no exit code');
}

sub check_fails {
    my $job = job('fails', tty => JSON::PP::false);
    is($job->{status}, $p->{fails_status} // 'error', 'a run-time error');
    like($job->{stderr}, $p->{fails_says}, 'is told on stderr');
    unlike($job->{stderr}, $HOST_PATH, 'without a path of the host');
    is($job->{stdout}, '', 'nothing on stdout');
}

sub check_exit {
    my $client = $nginx->ws;
    my @wrong;
    for my $code (@{ $p->{exit_codes} // [ 0, 1, 2, 42, 127, 128, 255 ] }) {
        my $job = $client->run_job(language => $language, code => $p->{exit},
            args => ["$code"]);
        my $end = $job->{complete} // {};
        my $status = $code ? 'error' : 'ok';
        next if ($end->{exit_code} // 'none') eq $code
            && $end->{status} eq $status && !exists $end->{signal};
        push @wrong, "$code: " . ($end->{exit_code} // $job->{status});
    }
    is("@wrong", '', 'exit codes come back');
}

sub check_died {
    for ([ segv => 'SIGSEGV', -11 ], [ abort => 'SIGABRT', -6 ]) {
        my ($program, $signal, $code) = @{$_};
        my $end = job($program)->{complete} // {};
        is($end->{status}, 'signaled', "$signal is a death by signal");
        is($end->{signal}, $signal, "its name is $signal");
        is($end->{exit_code}, $code, "its code $code");
    }
}

sub check_args {
    my @args = ('one', 'two words', '-x', '$HOME `id` "', '', 'ä😀');
    my $job = job('args', args => \@args);
    ended_ok($job, 'arguments');
    is($job->{stdout}, join('', map {"[$_]"} @args) . "\r\n",
        'arguments come as they are');
}

sub check_files {
    my @list = @{ $p->{files} };
    my @files;
    while (my ($name, $content) = splice @list, 0, 2) {
        push @files, { name => $name, content => $content };
    }
    my $job = $nginx->run_job(language => $language, files => \@files,
        timeout => 60);
    ended_ok($job, 'a program of several files');
    is($job->{stdout}, "from helper: 42\r\n", 'the parts found each other');
}

sub check_threads {
    my $job = job('threads');
    ended_ok($job, 'a program with threads');
    is($job->{stdout}, "2002000\r\n", 'they counted');
}

sub check_streams {
    my $job = job('streams', tty => JSON::PP::false);
    ended_ok($job, 'a program with two streams');
    is($job->{stdout}, "out\n", 'stdout');
    is($job->{stderr}, "err\n", 'stderr');
}

1;
