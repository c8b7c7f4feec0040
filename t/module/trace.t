# With error_log at debug the log shows when a job came to which step, and at
# no other level.

use strict;
use warnings;

use Codr::Host qw(need);
use Codr::Nginx;
use Test::More;

need(qw(module helper root));

my %language = (languages => 0, http => <<'END');
codr_language sh {
    source main.sh;
    run /bin/sh $source;
}
codr_language copy {
    source main.sh;
    compile /bin/cp /usr/bin/true $program;
    run $program;
}
END

my $nginx = Codr::Nginx->new(%language, log => 'debug');
ok($nginx->ready, 'the server is ready');
my $job = $nginx->post('/run', { language => 'sh', code => 'echo x' })->{json};
is($job->{stdout}, "x\n", 'a job runs');

# What a step is after, in microseconds since the first.
sub steps {
    my ($line) = @_;
    return $line =~ /, (\w[\w ]*) \+(\d+)/g;
}

my $id = $job->{job_id};
ok($nginx->wait_log(qr/job $id, run: execute at \d+, /),
    'the log has its time line');
my ($line) = $nginx->log =~ /(job $id, run: .*)/;
my @steps = steps($line);
my %at = @steps;
ok(exists $at{$_}, "with $_") or diag($line)
    for qw(submit verdict begin spawn run spawned started output exited gone
        complete);
my @times = @steps[ grep { $_ % 2 } 0 .. $#steps ];
is_deeply(\@times, [ sort { $a <=> $b } @times ], 'in the order of time')
    or diag($line);
is($steps[-2], 'complete', 'and its end is the last of them');

ok($nginx->wait_log(qr/sandbox \d+: request at \d+, lease \+.* clone \+\d+/),
    'how its sandbox was made');
ok($nginx->wait_log(qr/sandbox \d+: reaped at \d+, end sent \+.* unmounted \+/),
    'and how it was cleaned up');

$job = $nginx->post('/run', { language => 'copy', code => '' })->{json};
$id = $job->{job_id};
ok($nginx->wait_log(qr/job $id, compile: execute at .* gone \+\d+/),
    'a compiled language has one for its first stage')
    or diag(explain($job));
ok($nginx->wait_log(qr/job $id, run: compiled at .* complete \+\d+/),
    'and one for the second');
$nginx->finish;

$nginx = Codr::Nginx->new(%language, log => 'info');
ok($nginx->ready, 'a server that logs less');
$nginx->post('/run', { language => 'sh', code => 'echo x' });
$nginx->finish;
unlike($nginx->log, qr/(?:job|sandbox) \w+(?:, run)?: \w+ at \d+/,
    'has no time lines');

done_testing();
