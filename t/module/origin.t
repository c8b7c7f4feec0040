# Which web pages may use a location, and what their browsers are told.

use strict;
use warnings;

use Codr::Host qw(need);
use Codr::Nginx;
use Test::More;

need(qw(module));

my $dir = Codr::Nginx::dir();
my $mark = '# here';

for (
    [ 'https://example.org/', 'https://example.org/' ],
    [ 'example.org', 'example.org' ],
    [ 'https://', 'https://' ],
    [ 'https://*.', 'https://\*\.' ],
    [ 'https://*', 'https://\*' ],
    [ 'https://a.*.org', 'https://a\.\*\.org' ],
    [ 'https://x:0', 'https://x:0' ], [ 'https://x:70000', 'https://x:70000' ],
    [ 'https://[::1', 'https://\[::1' ],
    [ 'https://user@example.org', 'https://user@example\.org' ],
) {
    my ($origin, $pattern) = @{$_};
    unlink "$dir/stderr.log";
    my ($ok, $said) = Codr::Nginx->check(dir => $dir, languages => 0,
        locations => 0, uids => 0, http => "codr_origin '$origin';");
    like($said, qr/\[emerg\] invalid value "$pattern" in "codr_origin" in/,
        "refuses $origin");
}

unlink "$dir/stderr.log";
my ($ok, $said) = Codr::Nginx->check(dir => $dir, languages => 0,
    locations => 0, uids => 0, http => 'codr_origin any https://x.org;');
like($said, qr/"codr_origin" directive has "any" beside others/, 'any is all');

my $nginx = Codr::Nginx->new(helper => 'spawn /nonexistent/codr-sandboxd',
    server => <<'CONF');
    location = /any { codr_exec; codr_origin any; }
    location = /list { codr_exec;
        codr_origin https://example.org https://*.example.com
            http://localhost:3000 http://[::1]:8080; }
    location = /null { codr_exec; codr_origin null same; }
    location = /languages2 { codr_languages; codr_origin https://example.org; }
CONF
my $port = $nginx->port;

# "no" for 403, else what stands in Access-Control-Allow-Origin, or "".
sub origin {
    my ($path, @headers) = @_;
    my $answer = $nginx->post($path, { language => 'python', code => '1' },
        headers => \@headers);
    return $answer->{headers}{'access-control-allow-origin'} // ''
        if $answer->{status} == 503;
    return $answer->{status} == 403 && !$answer->{headers}
        {'access-control-allow-origin'} ? 'no' : "status $answer->{status}";
}

# What codr answers in headers, a page may read.
is($nginx->post('/list', {}, headers => [ 'Origin: https://example.org' ])
        ->{headers}{'access-control-expose-headers'},
    'Location, Retry-After, WWW-Authenticate, X-Codr-Next-Offset',
    'headers that pages may read');

sub all_origins {
    my ($path, @origins) = @_;
    while (my ($origin, $expected) = splice @origins, 0, 2) {
        is(origin($path, "Origin: $origin"), $expected, "$path from $origin");
    }
}

# The harness says "Host: localhost".
all_origins('/run',
    'http://localhost' => '', 'https://localhost' => '',
    'HTTP://LOCALHOST' => '', 'http://localhost:80' => '',
    'http://localhost:81' => 'no', 'https://localhost:80' => 'no',
    'http://localhost.evil.org' => 'no', 'http://evillocalhost' => 'no',
    'http://localhost/' => 'no', 'http://localhost@evil.org' => 'no',
    'ftp://localhost' => 'no', 'localhost' => 'no', 'null' => 'no',
    '' => 'no', 'http://' => 'no');
is(origin('/run'), '', 'without Origin it is no browser');
is(origin('/run', 'Origin: http://localhost', 'Origin: http://localhost'),
    'no', 'two of them are none');

all_origins('/any', 'http://evil.org' => '*', 'https://a:1' => '*',
    'null' => 'no', 'http://evil.org/path' => 'no');

all_origins('/list',
    'https://example.org' => 'https://example.org',
    'https://EXAMPLE.org' => 'https://EXAMPLE.org',
    'https://example.org:443' => 'https://example.org:443',
    'https://example.org:444' => 'no', 'http://example.org' => 'no',
    'https://a.example.org' => 'no', 'https://example.org.evil.net' => 'no',
    'https://a.example.com' => 'https://a.example.com',
    'https://a.b.example.com' => 'https://a.b.example.com',
    'https://example.com' => 'no', 'https://.example.com' => 'no',
    'https://evilexample.com' => 'no', 'https://a.example.com:8443' => 'no',
    'http://localhost:3000' => 'http://localhost:3000',
    'http://localhost' => 'no', 'http://[::1]:8080' => 'http://[::1]:8080',
    'app://editor' => 'no', 'null' => 'no');

all_origins('/null', 'null' => 'null', 'http://localhost' => '',
    'http://evil.org' => 'no');


subtest 'headers' => sub {
    my $answer = $nginx->post('/list', {},
        headers => ['Origin: https://example.org']);
    is($answer->{headers}{vary}, 'Origin', 'Vary');
    is($answer->{headers}{'access-control-allow-credentials'}, 'true',
        'a named origin may use credentials');
    like($answer->{headers}{'access-control-expose-headers'}, qr/Retry-After/,
        'it may see when to try again');
    $answer = $nginx->post('/any', {}, headers => ['Origin: https://x.org']);
    ok(!exists $answer->{headers}{'access-control-allow-credentials'},
        'anybody may not');
    $answer = $nginx->post('/run', {}, headers => ['Origin: http://evil.org']);
    is($answer->{json}{code}, 'unauthorized', 'a refusal is JSON');
};


subtest 'preflight' => sub {
    my @ask = ('Access-Control-Request-Method: POST',
        'Access-Control-Request-Headers: x-api-key');
    my $answer = $nginx->get('/list', method => 'OPTIONS',
        headers => [ 'Origin: https://example.org', @ask ]);
    is($answer->{status}, 204, 'is answered');
    is($answer->{body}, '', 'with nothing');
    is($answer->{headers}{'access-control-allow-origin'},
        'https://example.org', 'but the origin');
    like($answer->{headers}{'access-control-allow-methods'}, qr/\bPOST\b/,
        'the methods');
    like($answer->{headers}{'access-control-allow-headers'},
        qr/Authorization.*X-API-Key/, 'the headers');
    is($nginx->get('/list', method => 'OPTIONS',
        headers => [ 'Origin: https://evil.org', @ask ])->{status}, 403,
        'or refused');
};


subtest 'others' => sub {
    is($nginx->get('/languages2', headers => ['Origin: https://example.org'])
        ->{headers}{'access-control-allow-origin'}, 'https://example.org',
        'codr_languages follows');
    is($nginx->get('/languages2', headers => ['Origin: https://evil.org'])
        ->{status}, 403, 'and refuses');
    is($nginx->ws(path => '/list', headers => ['Origin: https://evil.org'])
        ->{status}, 403, 'no WebSocket for another origin');
    is($nginx->ws(path => '/list', headers => ['Origin: https://example.org'])
        ->{status}, 101, 'one for the right origin');
    is($nginx->ws(path => '/list')->{status}, 101, 'and for no browser');
};

$nginx->finish(expected => qr/helper ".*" does not exist/);
done_testing();
