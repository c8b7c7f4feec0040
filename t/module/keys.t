# API keys: the file, the carriers, and that a key that is not good tells
# nobody why, and shows up nowhere.

use strict;
use warnings;

use Codr::Host qw(need slurp spew);
use Codr::Nginx;
use Digest::SHA qw(sha256_hex);
use MIME::Base64 qw(encode_base64url);
use Test::More;

need(qw(module));

my $dir = Codr::Nginx::dir();
my $keys = "$dir/keys";

sub write_keys {
    my ($text, $mode) = @_;
    spew($keys, $text);
    chmod $mode // 0640, $keys;
}

my $canary = 'canary-8f1e0a';
my $alice = 'ID ' . sha256_hex('alice') . "\n";

sub says {
    my ($text, $mode) = @_;
    write_keys($text, $mode);
    unlink "$dir/stderr.log";
    my ($ok, $said) = Codr::Nginx->check(dir => $dir, languages => 0,
        locations => 0, uids => 0, http => "codr_api_keys $keys;");
    return $ok ? 'fine' : $said;
}

sub refuses {
    my ($what, $why, $text, $mode) = @_;
    my $said = says($text, $mode);
    like($said, qr/\[emerg\] [^\n]*$why[^\n]* in \Q$dir\E\/nginx\.conf:\d+\n/,
        "refuses $what");
    unlike($said, qr/$canary/, 'without repeating it');
}


subtest 'the file' => sub {
    is(says(''), 'fine', 'no keys at all');
    is(says("# nobody\n\n  \t\n$alice"), 'fine', 'comments and empty lines');
    like(says("bob$_ " . sha256_hex('b')), qr/no "ID SHA256"/,
        "an ID that --new-key does not make: bob$_") for qw(@x : +);
    is(says('bob_x.org-1 ' . uc sha256_hex('b')), 'fine', 'no final newline');
    is(says("a " . sha256_hex('a') . " disabled # was lost\r\n"), 'fine',
        'disabled, a comment, CRLF');
    is(says('a ' . sha256_hex('1') . "\na " . sha256_hex('2') . "\n"), 'fine',
        'two keys of one ID');

    refuses('a file for all', 'is accessible to others', $alice, 0644);
    refuses('a file writable by all', 'is accessible to others', $alice, 0602);
    refuses('a key itself', "no SHA-256 digest.*\"\Q$keys\E\":2",
        "# keys\nbob $canary\n");
    refuses('a line without ID', 'no "ID SHA256"', sha256_hex($canary) . "\n");
    refuses('half a digest', 'no SHA-256 digest',
        'a ' . substr(sha256_hex('a'), 1) . "\n");
    refuses('an odd ID', 'no "ID SHA256"', "a'b " . sha256_hex('a') . "\n");
    refuses('a long ID', 'no "ID SHA256"',
        'a' x 65 . ' ' . sha256_hex('a') . "\n");
    refuses('a word too many', 'invalid parameter',
        'a ' . sha256_hex('a') . " $canary\n");
    refuses('the same key twice', 'the same key twice',
        'a ' . sha256_hex('a') . "\nb " . sha256_hex('a') . "\n");
    refuses("the quota $_", 'invalid parameter',
        'a ' . sha256_hex('a') . " $_\n")
        for qw(jobs=0 jobs=x rate=5 rate=0/m rate=5/w cpu=1h cpu=0/h cpu=25h/h
        burst=3), 'jobs=2 jobs=3';

    unlink $keys;
    my ($ok, $said) = Codr::Nginx->check(dir => $dir, languages => 0,
        locations => 0, uids => 0, http => "codr_api_keys $keys;");
    like($said, qr/\[emerg\] open\(\) "\Q$keys\E" failed/, 'a file must exist');
    mkdir $keys;
    refuses_directory();
    rmdir $keys;
};

sub refuses_directory {
    unlink "$dir/stderr.log";
    my ($ok, $said) = Codr::Nginx->check(dir => $dir, languages => 0,
        locations => 0, uids => 0, http => "codr_api_keys $keys;");
    like($said, qr/is not a regular file/, 'and be a file');
}


write_keys(join '',
    'alice ' . sha256_hex('alice') . "\n",
    'bob ' . sha256_hex('bob1') . "\n", 'bob ' . sha256_hex('bob2') . "\n",
    'carol ' . sha256_hex('carol') . " disabled\n",
    'canary ' . sha256_hex($canary) . "\n");

unlink "$dir/error.log", "$dir/stderr.log";

# Without a helper a good key gets as far as "unavailable".
my $nginx = Codr::Nginx->new(dir => $dir, helper => "spawn $dir/none",
    auth => 'key', http => <<"CONF", server => <<'CONF');
    codr_api_keys $keys;
    log_format key '\$uri \$status key=\$codr_key_id owner=\$codr_owner';
    access_log $dir/key.log key;
    limit_req_zone \$codr_key_id zone=per_key:1m rate=1r/m;
CONF
    location = /open { codr_exec; codr_auth off; }
    location = /owned { codr_exec; codr_owner "$arg_who"; }
    location = /limited { limit_req zone=per_key; limit_req_status 429;
        codr_exec; }
    location = /languages2 { codr_languages; }
CONF

my $job = { language => 'python', code => 'print(1)' };

sub try {
    my ($path, @headers) = @_;
    return $nginx->post($path, $job, headers => \@headers);
}

sub try_ws {
    my (@protocols) = @_;
    return $nginx->ws(protocols => \@protocols);
}


subtest 'carriers' => sub {
    is(try('/run', $_)->{status}, 503, "takes $_") for
        'Authorization: Bearer alice', 'authorization: bearer   alice',
        'X-API-Key: alice', 'x-executor-token: alice', 'X-API-Key: bob1',
        'X-API-Key: bob2';
    is(try('/run', 'X-API-Key: alice', 'X-Executor-Token: nobody')->{status},
        503, 'the first carrier counts');
    is(try('/open')->{status}, 503, 'codr_auth off needs none');

    my $ws = try_ws('codr.v1', 'codr.key.' . encode_base64url('alice'));
    is($ws->{status}, 101, 'takes a subprotocol');
    is($ws->{headers}{'sec-websocket-protocol'}, 'codr.v1',
        'and echoes nothing but codr.v1');
    is(try_ws('codr.key.' . encode_base64url($_))->{status}, 401,
        "no WebSocket for the key $_") for 'nobody', 'carol';
    is(try_ws("codr.key.$_")->{status}, 401, "nor for what is none: $_")
        for '', '!!!', 'codr.v1', 'A' x 2000;
    is(try_ws('codr.v1')->{status}, 401, 'nor without any');

    my $lines = $nginx->ws(headers => [ 'Sec-WebSocket-Protocol: chat',
        'Sec-WebSocket-Protocol: codr.key.' . encode_base64url('alice'),
        'Sec-WebSocket-Protocol: codr.v1' ]);
    is($lines->{status}, 101, 'several lines are one list');
    is($lines->{headers}{'sec-websocket-protocol'}, 'codr.v1', 'to both');
};


subtest 'what is not good' => sub {
    my %answer = map { $_ => try('/run', "X-API-Key: $_") }
        qw(nobody carol alic alicee);
    $answer{none} = try('/run');
    $answer{empty} = try('/run', 'X-API-Key: ');
    $answer{basic} = try('/run', 'Authorization: Basic YWxpY2U6YWxpY2U=');
    $answer{digest} = try('/run', 'X-API-Key: ' . sha256_hex('alice'));
    $answer{long} = try('/run', 'X-API-Key: ' . 'a' x 3000);
    delete $_->{headers}{date} for values %answer;
    for (sort keys %answer) {
        is($answer{$_}{status}, 401, "$_: 401");
        is_deeply([ @{ $answer{$_} }{qw(body headers)} ],
            [ @{ $answer{nobody} }{qw(body headers)} ], 'and nothing more');
    }
    is($answer{nobody}{json}{code}, 'unauthorized', 'in the usual shape');
    is($answer{nobody}{headers}{'www-authenticate'}, 'Bearer', 'with a hint');
};


subtest 'a key in the query is refused' => sub {
    is(try("/run?$_")->{status}, 401, "/run?$_") for
        'key=alice', 'api_key=alice', 'token=alice', 'x=1&access_token=alice';
    is(try('/run?key=alice', 'X-API-Key: alice')->{status}, 401,
        'even beside a good one');
    is(try('/run?monkey=alice', 'X-API-Key: alice')->{status}, 503,
        'another argument is nobody\'s business');
};


subtest 'variables' => sub {
    try('/run', 'X-API-Key: bob2');
    try('/owned?who=team7', 'X-API-Key: bob2');
    try('/owned', 'X-API-Key: bob2');
    try('/owned?who=' . 'x' x 300, 'X-API-Key: bob2');
    try('/open');
    my $log = slurp("$dir/key.log");
    like($log, qr{^/run 503 key=bob owner=bob$}m, 'the owner is the ID');
    like($log, qr{^/owned 503 key=bob owner=team7$}m, 'or what is configured');
    like($log, qr{^/owned 503 key=bob owner=bob$}m, 'unless that is empty');
    like($log, qr{^/owned 503 key=bob owner=[0-9a-f]{64}$}m, 'long: a hash');
    like($log, qr{^/open 503 key=- owner=127\.0\.0\.1$}m, 'or the address');
    like($log, qr{^/run 401 key=- owner=127\.0\.0\.1$}m, 'bad keys have none');

    is(try('/limited', 'X-API-Key: alice')->{status}, 503, 'limit_req by key');
    is(try('/limited', 'X-API-Key: alice')->{status}, 429, 'counts the key');
    is(try('/limited', 'X-API-Key: bob1')->{status}, 503, 'and not another');
    is(try('/limited', 'X-API-Key: bob2')->{status}, 429, 'but its ID');
};


subtest 'reload' => sub {
    write_keys('bob ' . sha256_hex('bob3') . "\n"
        . 'canary ' . sha256_hex($canary) . "\n");
    ok($nginx->reload, 'reloads');
    is(try('/run', 'X-API-Key: alice')->{status}, 401, 'a removed key');
    is(try('/run', 'X-API-Key: bob3')->{status}, 503, 'a new one');
    write_keys('nonsense');
    $nginx->signal('HUP');
    ok($nginx->wait_log(qr/no "ID SHA256" in key file/), 'a broken file');
    is(try('/run', 'X-API-Key: bob3')->{status}, 503, 'leaves the old keys');
};


subtest 'no key in any log' => sub {
    try('/run', "X-API-Key: $canary");
    try('/run', "Authorization: Bearer $canary");
    try_ws('codr.v1', 'codr.key.' . encode_base64url($canary));
    my $all = join '', map { slurp($_) } glob "$dir/*.log";
    like($all, qr/key=canary/, 'its ID is there');
    unlike($all, qr/\Q$canary\E/, 'the key is not');
    unlike($all, qr/\Q@{[ encode_base64url($canary) ]}\E/, 'in no form');
    unlike($all, qr/\Q@{[ sha256_hex($canary) ]}\E/, 'not even its digest');
};

$nginx->finish(expected => qr/helper ".*" does not exist|no "ID SHA256"/);
done_testing();
