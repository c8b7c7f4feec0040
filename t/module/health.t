# codr_status health: what is missing and waived is a cause, and so is a
# language whose program is not there; what is missing altogether is a 503.
# A client hears when to come again.

use strict;
use warnings;

use Codr::Host qw(need);
use Codr::Nginx;
use Test::More;

need(qw(module helper));

my $languages = <<'END';
codr_language sh { source main.sh; run /bin/sh $source; }
codr_language gone { source main.txt; run /usr/bin/no-such-program $source; }
END

my $nginx = Codr::Nginx->new(languages => 0, http => $languages);
ok($nginx->ready, 'the server is ready');

my $health = $nginx->get('/status')->{json};
is($health->{status}, 'healthy', 'one language is enough');
is($health->{service}, 'codr', 'service');
is($health->{helper}, 'up', 'helper');
is($health->{redis}, 'off', 'no redis');
ok($health->{languages}{sh} && !$health->{languages}{gone}, 'languages');
is($health->{layers}{seccomp}, 'ok', 'layers');
ok($health->{degraded}, 'but something is missing');
like("@{ $health->{causes} }", qr/1 of 2 languages/, 'which is named');

my $answer = $nginx->post('/run', { language => 'gone', code => '' });
is($answer->{status}, 503, 'a program that is not there');
is($answer->{json}{code}, 'unavailable', 'is not available');
like($answer->{json}{message}, qr/not installed/, 'and why');
is($answer->{json}{retry_after}, 30, 'somebody has to bring it');
is($answer->{headers}{'retry-after'}, 30, 'in the header, too');
my $error = $nginx->run_job(language => 'gone', code => '')->{error};
is($error->{code}, 'unavailable', 'so over a socket');
ok(!$nginx->run_job(language => 'sh', code => 'exit 0')->{error},
    'the other one runs');
$nginx->finish;

$nginx = Codr::Nginx->new(languages => 0,
    http => 'codr_language sh { source main.sh; run /bin/sh $source; }');
ok($nginx->ready, 'with nothing missing');
$health = $nginx->get('/status')->{json};
SKIP: {
    skip 'layers are missing here', 2 if $ENV{CODR_ALLOW_MISSING} || $> != 0;
    ok(!$health->{degraded}, 'nothing is degraded');
    is(scalar @{ $health->{causes} }, 0, 'for no cause');
}
$nginx->finish;

# A layer that this host has not: no directory has so long a name.

SKIP: {
    skip 'needs root', 7 if $> != 0;
    my %impossible = (languages => 0,
        http => 'codr_cgroup /' . 'x' x 256 . ";\n$languages");

    $nginx = Codr::Nginx->new(%impossible);
    ok($nginx->ready(20, sub {
        ($_[0]{json}{helper} // '') eq 'unavailable'
            && "@{ $_[0]{json}{causes} }" =~ /cgroup/;
    }), 'a required layer is missing');
    is($nginx->get('/status')->{status}, 503, 'that is a 503');
    is($nginx->post('/run', { language => 'sh', code => '' })->{status}, 503,
        'no job runs');
    $nginx->finish(expected => qr/cgroup/);

    $nginx = Codr::Nginx->new(%impossible, allow => 'cgroup');
    ok($nginx->ready, 'waived, it is no 503');
    $health = $nginx->get('/status')->{json};
    is($health->{layers}{cgroup}, 'waived', 'but waived');
    ok($health->{degraded}, 'and degraded');
    like("@{ $health->{causes} }", qr/layer "cgroup" is missing and waived/,
        'which is a cause');
    $nginx->finish(expected => qr/cgroup/);
}

done_testing();
