# Tickets: made with a key, good for one execute, and worth nothing in any
# other hand, at any other time or in any other form.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need spew top wait_until);
use Codr::Nginx;
use Digest::SHA qw(hmac_sha256 hmac_sha512 sha256_hex);
use MIME::Base64 qw(decode_base64url encode_base64url);
use Test::More;

need(qw(module helper));

my $dir = Codr::Nginx::dir();
my $secret = 'a secret of more than thirty-two bytes';

sub write_file {
    my ($name, $text, $mode) = @_;
    spew("$dir/$name", $text);
    chmod $mode // 0640, "$dir/$name";
}

sub write_keys {
    write_file('keys', join '', map { my ($id, $more) = split ' ', $_, 2;
        "$id " . sha256_hex($id) . ' ' . ($more // '') . "\n" } @_);
}

write_file('ticket.key', "$secret\n");
write_keys('alice', 'bob', 'carol disabled');


subtest 'the directives' => sub {
    my $says = sub {
        my ($http) = @_;
        unlink "$dir/stderr.log";
        my ($ok, $said) = Codr::Nginx->check(dir => $dir, languages => 0,
            locations => 0, uids => 0, auth => 0, http => $http);
        return $ok ? "fine $said" : $said;
    };
    like($says->("codr_ticket_key_file $dir/ticket.key;"), qr/^fine/,
        'a key file');
    write_file('short.key', 'x' x 31);
    like($says->("codr_ticket_key_file $dir/short.key;"),
        qr/^fine.*\[warn\].* less than 32 bytes/s, 'a short key is warned of');
    write_file('shorter.key', 'x' x 15);
    like($says->("codr_ticket_key_file $dir/shorter.key;"),
        qr/\[emerg\].* less than 16 bytes/, 'a shorter one is refused');
    write_file('open.key', $secret, 0644);
    my $said = $says->("codr_ticket_key_file $dir/open.key;");
    like($said, qr/\[emerg\] ticket key file .* is accessible to others/,
        'as is one that others can read');
    unlike($said, qr/a secret/, 'without saying it');
    like($says->("codr_ticket_key_file $dir/none;"), qr/\[emerg\] open\(\)/,
        'or one that is not there');
    like($says->("codr_ticket_key_file $dir/ticket.key;" x 2),
        qr/is duplicate/, 'or a second one');
    like($says->('codr_ticket_ttl 1s;'), qr/^fine/, 'a lifetime');
    like($says->("codr_ticket_ttl $_;"), qr/\[emerg\]/, "not $_")
        for '0', '25h', 'x';
    like($says->("codr_auth $_;"), qr/^fine/, "codr_auth $_")
        for 'off', 'key', 'ticket', 'key ticket', 'ticket key';
    like($says->("codr_auth $_;"), qr/\[emerg\]/, "not codr_auth $_")
        for 'off key', 'key key', 'ticket off', 'tickets';
    like($says->("server { location $_->[0] { codr_auth off; codr_jobs$_->[1];"
        . ' } }'), $_->[2], "codr_jobs$_->[1] in $_->[0]")
        for [ '/jobs', '', qr/^fine/ ], [ '= /jobs', '', qr/^fine/ ],
            [ '/jobs', ' x', qr/\[emerg\]/ ],
            [ '~ /j', '', qr/\[emerg\] .*regular expression/ ],
            [ '@jobs', '', qr/\[emerg\] .*given by its URI/ ];
    like($says->('server { location /j { codr_jobs; } }'),
        qr/\[emerg\] "codr_jobs" needs "codr_api_keys" or "codr_auth"/,
        'it does not say by itself who may use it');
};


unlink "$dir/error.log", "$dir/stderr.log";

my $nginx = Codr::Nginx->new(dir => $dir, workers => 2, auth => 0,
    http => <<"CONF", server => <<'CONF');
    codr_api_keys $dir/keys;
    codr_ticket_key_file $dir/ticket.key;
    codr_language sh { source main.sh; run /bin/sh \$source; }
    log_format who '\$uri \$status key=\$codr_key_id owner=\$codr_owner '
        '\$codr_close_code';
    access_log $dir/who.log who;
CONF
    location /jobs { codr_jobs; }
    location /owned/ { codr_jobs; codr_owner $http_x_user; }
    location = /only { codr_exec sh; codr_auth ticket; }
    location = /keyed { codr_exec sh; codr_auth key; }
    location = /open { codr_exec sh; codr_auth off; }
    location = /small { codr_exec sh; codr_code_size 1k; }
CONF

sub create {
    my ($id, $body, %o) = @_;
    return Codr::Client->request(port => $nginx->port, method => 'POST',
        path => $o{path} // '/jobs/create', body => $body // '',
        headers => [ defined $id ? "X-API-Key: $id" : (),
            @{ $o{headers} // [] } ]);
}

sub claims {
    my ($ticket) = @_;
    return Codr::Client::decode(decode_base64url(
        (split /\./, $ticket->{job_token})[1]));
}

sub jwt {
    my ($header, $claims, $key, $mac) = @_;
    my $text = join '.', map { encode_base64url(Codr::Client::encode($_)) }
        $header, $claims;
    return $text . '.'
        . encode_base64url(($mac // \&hmac_sha256)->($text, $key // $secret));
}

# A ticket of our own making; what is given replaces claims.
my $serial = 0;
sub mint {
    my (%claims) = @_;
    my %all = (job_id => 'mine-' . ++$serial, jti => "jti-$serial",
        iat => time, exp => time + 60, key => 'alice', %claims);
    delete @all{ grep { !defined $all{$_} } keys %all };
    return { job_id => $all{job_id},
        job_token => jwt({ alg => 'HS256', typ => 'JWT' }, \%all) };
}

sub execute {
    my ($ticket, %o) = @_;
    my $ws = $nginx->ws(path => $o{path} // '/run',
        headers => $o{headers} // []);
    $ws->execute(language => 'sh', code => $o{code} // 'echo 42',
        %{$ticket});
    return $ws;
}

sub refused {
    my ($what, $ticket, %o) = @_;
    my $ws = execute($ticket, %o);
    my $answer = $ws->recv(20);
    is("$answer->{type} " . ($answer->{code} // ''), 'error unauthorized',
        "$what is unauthorized");
    is($ws->recv->{code}, 1008, 'and ends the socket');
}

ok($nginx->ready, 'the helper is up');

subtest 'making one' => sub {
    my $answer = create('alice');
    is($answer->{status}, 200, 'with a key and no body');
    my $ticket = $answer->{json};
    like($ticket->{job_id}, qr/^[0-9a-f]{32}$/, 'job_id');
    like($ticket->{expires_at}, qr/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, 'expires_at');
    my $claims = claims($ticket);
    is($claims->{job_id}, $ticket->{job_id}, 'is that of the token');
    is($claims->{key}, 'alice', 'which names its key');
    is($claims->{exp} - $claims->{iat}, 900, 'and lives for 15 minutes');
    ok(!exists $claims->{sub}, 'and is for nobody else');
    unlike($answer->{body}, qr/[^ -~]/, 'nothing odd in it');

    is(claims(create('alice', '{"owner":"zoe"}')->{json})->{sub}, 'zoe',
        'for an owner');
    is(claims(create('alice', '{}')->{json})->{sub}, undef, 'or none');
    is(claims(create('alice', '', path => '/owned/create',
        headers => ['X-User: yan'])->{json})->{sub}, 'yan',
        'codr_owner goes into it');
    is(create('alice', $_)->{status}, 400, "not of $_")
        for '{"owner":1}', '{"owner":""}', '[]', 'x', '{"owner":"a\u0001"}',
            '{"owner":"' . 'x' x 257 . '"}';
    is(create('alice', 'x' x 5000)->{status}, 413, 'nor of much more');
    is(create($_)->{status}, 401, 'not with the key ' . ($_ // 'none'))
        for undef, 'nobody', 'carol';
    is($nginx->get('/jobs/create', headers => ['X-API-Key: alice'])->{status},
        405, 'not by GET');
    is($nginx->get($_, headers => ['X-API-Key: alice'])->{status}, 404,
        "there is no $_") for '/jobs/creates', '/jobsx', '/jobs/create/';
};

subtest 'using it' => sub {
    my $ws = execute(create('alice')->{json});
    is($ws->finish->{stdout}, "42\r\n", 'the program runs without a key');
    $ws->execute(language => 'sh', code => 'echo 1');
    is($ws->recv->{code}, 'unauthorized', 'the next one on it needs another');
    is($ws->recv->{code}, 1008, 'else the socket ends');

    my $ticket = create('alice')->{json};
    is(execute($ticket, path => '/only')->finish->{stdout}, "42\r\n",
        'it is good where only tickets are');
    refused('a second use', $ticket);
    refused('one for another job', { %{ create('alice')->{json} },
        job_id => '0' x 32 });
    refused('no job_id', { job_token => create('alice')->{json}{job_token} });
    refused('no ticket', {});
    refused('no ticket but a key', {}, path => '/only',
        headers => ['X-API-Key: alice']);
    is($nginx->ws(path => '/keyed')->{status}, 401,
        'where only keys are good, there is not even a socket');
    is($nginx->ws(headers => ['X-API-Key: nobody'])->{status}, 401,
        'nor with a wrong one');

    my $post = sub {
        return $nginx->post('/run', { language => 'sh', code => 'echo 7',
            %{ $_[0] } });
    };
    $ticket = create('alice')->{json};
    is($post->($ticket)->{json}{stdout}, "7\n", 'a POST takes it, too');
    my $again = $post->($ticket);
    is("$again->{status} $again->{json}{code}", '401 unauthorized', 'once');
    is($post->({})->{status}, 401, 'and not without');
    is($nginx->post("/run?job_token=$ticket->{job_token}",
        { language => 'sh', code => '' })->{status}, 401,
        'it is not taken from a query');

    $ws = $nginx->ws(headers => ['X-API-Key: bob']);
    is($ws->run_job(language => 'sh', code => 'echo 1')->{status}, 'ok',
        'who has shown a key needs none');
    is($ws->run_job(language => 'sh', code => 'echo 1',
        %{ create('alice')->{json} })->{status}, 'ok', 'but may use one');
    $ws->execute(language => 'sh', code => '', %{$ticket});
    is($ws->recv->{code}, 'unauthorized', 'if it is good');
};

subtest 'where none is needed' => sub {
    is(execute({}, path => '/open')->finish->{status}, 'ok', 'none');
    my $ticket = create('alice', '{"owner":"zoe"}')->{json};
    my $job = execute($ticket, path => '/open')->finish;
    is($job->{complete}{job_id}, $ticket->{job_id}, 'one names its job');
    is($nginx->get("/jobs/$ticket->{job_id}",
        headers => ['X-API-Key: alice'])->{json}{owner}, 'zoe', 'its owner');
    refused('a second use', $ticket, path => '/open');
    refused('one of nobody', { job_id => 'x', job_token => 'y' },
        path => '/open');
    is($nginx->post('/open', { language => 'sh', code => '', %{$ticket} })
        ->{status}, 401, 'a POST with it, too');
};

subtest 'whose job it is' => sub {
    my $who = sub {
        my ($ticket, $expected, $name) = @_;
        my $ws = execute($ticket);
        $ws->finish;
        $ws->send_close(1000);
        $ws->recv;
        $ws->drop;              # it is logged when both have closed
        ok(Codr::Host::wait_until(5,
            sub { Codr::Host::slurp("$dir/who.log") =~ /$expected/ }), $name);
    };
    $who->(create('bob')->{json}, qr/key=bob owner=bob 1000/, "the key's");
    $who->(create('bob', '{"owner":"zoe"}')->{json},
        qr/key=bob owner=zoe 1000/, 'or as the ticket says');
    $who->(mint(key => undef), qr/key=- owner=127\.0\.0\.1/,
        'a ticket without key follows the address');
    $who->(mint(sub => 'x' x 300), qr/owner=[0-9a-f]{64} /,
        'a very long name is hashed');
};

subtest 'what is none' => sub {
    is(execute(mint())->finish->{status}, 'ok', 'a back end can make one');
    my $uuid = '01234567-89ab-cdef-0123-456789abcdef';
    my $job = execute(mint(job_id => $uuid, key => 'alice'))->finish;
    is($job->{status}, 'ok', 'naming jobs in its own way');
    is($job->{started}{job_id}, $uuid =~ s/-//gr, 'which is kept');
    is($nginx->get("/jobs/$_", headers => ['X-API-Key: alice'])->{status},
        200, "and finds it: $_") for $uuid, uc $uuid, "$uuid/output";
    is($nginx->get("/jobs/$_", headers => ['X-API-Key: alice'])->{status},
        404, "not $_") for "${uuid}0", $uuid =~ s/-/_/r, substr($uuid, 1);
    my $ws = $nginx->ws(path => '/open');
    $ws->send(type => 'attach', job_id => $uuid,
        attach_token => $job->{started}{attach_token});
    is($ws->wait_for(qr/^(?:complete|error)$/)->{type}, 'complete',
        'joined by it');
    refused('an expired one', mint(iat => time - 20, exp => time - 10));
    refused('one of tomorrow', mint(iat => time + 3600, exp => time + 7200));
    refused('one not valid yet', mint(nbf => time + 600));
    refused('one that lives for ever', mint(exp => time + 86400 * 365));
    refused('one without an end', mint(exp => undef));
    refused('one whose end is a word', mint(exp => 'never'));
    refused('one of before', mint(iat => time - 3600));
    refused('one without jti', mint(jti => undef));
    refused('one with a list as jti', mint(jti => ['x']));
    refused('one with a long jti', mint(jti => 'x' x 129));
    refused('one without job_id', mint(job_id => undef));
    refused('one of an unknown key', mint(key => 'mallory'));
    refused('one of a disabled key', mint(key => 'carol'));
    refused('one whose key is a number', mint(key => 7));
    refused('one whose owner is a list', mint(sub => ['alice']));

    my %claims = (job_id => 'j', jti => 'j', iat => time, exp => time + 60);
    my $header = { alg => 'HS256', typ => 'JWT' };
    my $say = sub {
        my ($what, $token) = @_;
        refused($what, { job_id => 'j', job_token => $token });
    };
    my ($h, $c, $s) = split /\./, jwt($header, \%claims);
    $say->('one of another issuer', jwt($header, \%claims, 'x' x 32));
    $say->('alg none', encode_base64url('{"alg":"none"}') . ".$c.");
    $say->('alg none, signed', jwt({ alg => 'none' }, \%claims));
    $say->("alg $_", jwt({ alg => $_ }, \%claims))
        for 'hs256', 'HS384', 'RS256', ['HS256'];
    $say->('HS512', jwt({ alg => 'HS512' }, \%claims, $secret,
        \&hmac_sha512));
    $say->('crit', jwt({ %{$header}, crit => ['exp'] }, \%claims));
    $say->('one without signature', "$h.$c");
    $say->('an empty signature', "$h.$c.");
    $say->('a signature and more', "$h.$c.$s.$s");
    $say->('a signature of equal digest', "$h.$c."
        . substr($s, 0, -1) . chr(ord(substr $s, -1) + 1));
    $say->('another payload', join '.', $h,
        encode_base64url('{"job_id":"j"}'), $s);
    $say->('two claims of one name', do {
        my $text = join '.', $h, encode_base64url('{"job_id":"x","job_id":"j",'
            . '"jti":"q","iat":' . time . ',"exp":' . (time + 60) . '}');
        "$text." . encode_base64url(hmac_sha256($text, $secret));
    });
    $say->('no token at all', $_) for '', '.', '..', '...', 'x' x 60_000;
    $say->('a number', 42);
    is(execute({ job_id => 'j', job_token => jwt($header, \%claims) })
        ->finish->{status}, 'ok', 'while the same, unharmed, is good');
};

subtest 'a race' => sub {
    my $won = 0;
    my $rounds = 12;
    for (1 .. $rounds) {
        my $ticket = create('alice')->{json};
        my @sockets = map { $nginx->ws } 1 .. 6;
        $_->execute(language => 'sh', code => '', %{$ticket}) for @sockets;
        $won += grep { $_->finish->{status} eq 'ok' } @sockets;
    }
    is($won, $rounds, 'of six sockets on two workers one gets it');
};

subtest 'sizes' => sub {
    my $ws = $nginx->ws(path => '/small');
    $ws->send_frame('', length => 64 * 1024 + 2 * 1024 + 1);
    is($ws->recv->{code}, 1009, 'a large first message is refused at once');
    $ws = $nginx->ws(path => '/small');
    is($ws->run_job(language => 'sh', code => 'echo 1',
        %{ create('alice')->{json} })->{status}, 'ok', 'after a ticket');
    $ws->send(type => 'ping', data => 'x' x 200_000);
    is($ws->recv->{type}, 'pong', 'it may be larger');
};

subtest 'a reload' => sub {
    my $kept = create('alice')->{json};
    my $used = create('alice')->{json};
    my $lost = create('bob')->{json};
    is(execute($used)->finish->{status}, 'ok', 'one is used');
    write_keys('alice');
    ok($nginx->reload, 'a key is removed');
    is(execute($kept)->finish->{status}, 'ok', 'tickets outlive it');
    refused('a used one', $used);
    refused('one of the removed key', $lost);
};

unlike($nginx->log, qr/a secret|eyJ/, 'no key or token in the log');
$nginx->finish;


subtest 'an unmodified Codr front end' => sub {
    write_keys('alice');
    my $codr = Codr::Nginx->new(auth => 0,
        http => "codr_api_keys $dir/keys;",
        server => 'include ' . top() . '/conf/snippets/codr-compat.conf;');
    is($codr->get('/health')->{json}{service}, 'codr', 'health');
    ok($codr->ready, 'the helper is up');
    my $ticket = Codr::Client->request(port => $codr->port, method => 'POST',
        path => '/api/jobs/create', body => '', headers =>
        [ 'Content-Type: application/json', 'X-API-Key: alice' ])->{json};
    my $ws = $codr->ws(path => '/ws/execute',
        headers => ['Origin: http://elsewhere.example:3000',
            'Sec-WebSocket-Extensions: permessage-deflate;'
            . ' client_max_window_bits']);
    is($ws->{status}, 101, 'the socket of a page from elsewhere');
    $ws->send(type => 'execute', job_id => $ticket->{job_id},
        job_token => $ticket->{job_token}, language => 'python',
        code => "name = input('Who? ')\nprint('Hello', name)\n");
    ($ws->{output}, $ws->{job}) = ('', []);
    ok($ws->expect(qr/^Who\? $/, 60), 'a prompt comes without a newline');
    $ws->send(type => 'input', data => "Ada\n");
    my $end = $ws->finish(60)->{complete};
    is($ws->{output}, "Hello Ada\r\n", 'no echo');
    is($end->{exit_code}, 0, 'exit_code');
    like($end->{execution_time}, qr/^[\d.]+$/, 'execution_time');
    $codr->finish;
};

done_testing();
