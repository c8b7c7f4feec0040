# What a compiler leaves behind, and how it fails: told as what it is, never
# as a fault of the server or with a word about the compiler's own bugs.

use strict;
use warnings;

use Codr::Host qw(need);
use Codr::Nginx;
use Test::More;

need(qw(module helper /usr/bin/gcc));

# A language whose "compiler" is a shell script, the source itself.
my $nginx = Codr::Nginx->new(
    location => 'codr_disk 64m; codr_compile_memory 1g;',
    http => <<'END');
codr_language script {
    source main.sh;
    compile /bin/sh $source $program;
    run $program;
}
codr_language byte {
    source main.sh;
    compile /bin/cp $source $program;
    run /bin/sh $program one;
}
codr_language env {
    source main.sh;
    compile /bin/cp $source $program;
    run /usr/bin/env WORD=two $program;
    output 5 drop;
}
END
ok($nginx->ready, 'the server is ready');

sub job {
    my ($language, $code) = @_;
    return $nginx->run_job(language => $language, code => $code);
}

sub refused {
    my ($name, $job, $code, $pattern) = @_;
    is($job->{status}, $code, "$name: $code");
    like(($job->{error} // {})->{message} // '', $pattern, "$name: why");
}

my $cannot = qr/^the program that was built cannot be executed: /;

refused('no interpreter', job('script', <<'END'), 'compile_error',
printf '#!/no/such/interpreter\n' > $1
END
    qr/${cannot}No such file or directory$/);

refused('junk', job('script', 'echo junk > $1'), 'compile_error',
    qr/${cannot}Exec format error$/);

refused('a large hole', job('script', 'truncate -s 60M $1'),
    'compile_error', qr/${cannot}Exec format error$/);

refused('more than the disk', job('script', 'truncate -s 65M $1'),
    'compile_limit', qr/^the compiler needed too much disk/);

refused('nothing', job('script', 'echo not today'), 'compile_error',
    qr/^not today$/);

my $job = job('c', 'char x[70000000]={1};int main(){return x[5];}');
refused('a program larger than the disk', $job, 'compile_limit',
    qr/^the compiler needed too much disk/);

# What runs it may be another program.

sub printed {
    my ($language, $code) = @_;
    my $answer = $nginx->post('/run', { language => $language,
        code => $code, args => ['last'] })->{json};
    return join ' ', $answer->{status}, $answer->{stdout} // '',
        $answer->{truncated} ? 'cut' : 'whole';
}

is(printed('byte', 'echo "$0 $*"; rm "$0"; ls'),
    "ok ./.program one last\nmain.sh\n whole",
    'a program for an interpreter is a file of the job');
is(printed('byte', 'echo "$0 $*"; rm "$0"; ls'),
    "ok ./.program one last\nmain.sh\n whole", 'each time a new one');
is(printed('env', "#!/bin/sh\necho \$WORD \$*"), "ok two l cut",
    'it is executable, and found without a search; a language has its "drop"');

$job = job('c', 'char x[1000]={1};int main(){return x[0] - 1;}');
is($job->{status}, 'ok', 'an honest one runs');

is($nginx->log =~ /\[error\] .*(job .*: execute)/ ? $1 : '', '',
    'no error of ours is logged');
$nginx->finish;

done_testing();
