# HTTP around a program: how a body may come, which methods there are, what a
# client would rather have, what JSON may look like.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need);
use Codr::Nginx;
use Test::More;

need(qw(module helper /usr/bin/python3));

# The cap of /cap: 64k + 2 x (1k + 1k + 1k).
my $CAP = 65536 + 2 * 3072;

my $nginx = Codr::Nginx->new(http => 'codr_origin https://a.example;',
    server => <<'CONF');
    location = /cap { codr_exec; codr_code_size 1k; codr_files 1k;
                      codr_input 1k; }
    location = /small { codr_exec; client_body_buffer_size 1k; }
    location = /file { codr_exec; client_body_in_file_only clean; }
    location = /one { codr_exec; client_body_in_single_buffer on;
                      client_body_buffer_size 1k; }
CONF
$nginx->ready;

my $OK = '{"language":"python","code":"print(6 * 7)"}';
my $POST = "POST /run HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    . "Content-Type: application/json\r\n";

sub raw {
    my (@writes) = @_;
    my $client = Codr::Client->connect(port => $nginx->port);
    $client->{start} = 0;
    $client->write($_) for @writes;
    return $client;
}

sub said {
    my ($answer) = @_;
    return join ' ', $answer->{status}, $answer->{json}
        ? $answer->{json}{stdout} // $answer->{json}{code} : ();
}


subtest 'a body' => sub {
    my $chunks = sub { return join '', map { sprintf "%x\r\n%s\r\n", length,
        $_ } @_ };
    is(said(raw("${POST}Transfer-Encoding: chunked\r\n\r\n",
        $chunks->(split //, $OK), "0\r\nTrailer: x\r\n\r\n")->answer(30)),
        "200 42\n", 'in chunks of a byte, with a trailer');
    is(said(raw(split //, $POST . 'Content-Length: ' . length($OK)
        . "\r\n\r\n$OK")->answer(30)), "200 42\n", 'byte by byte');
    my $client = raw("${POST}Expect: 100-continue\r\nContent-Length: "
        . length($OK) . "\r\n\r\n");
    is($client->_head(30)->{status}, 100, 'that waits is told to come');
    $client->write($OK);
    is(said($client->answer(30)), "200 42\n", 'and is read');
    is(said(raw("${POST}\r\n")->answer), '400 bad_message', 'none at all');
    is(said(raw("${POST}Content-Length: 0\r\n\r\n")->answer),
        '400 bad_message', 'an empty one');
    my $input = 'x' x 70_000;
    my $body = qq({"language":"python","stdin":"$input",)
        . '"code":"print(len(input()))"}';
    is(said($nginx->post($_, $body)), "200 70000\n", "in $_")
        for qw(/small /file /one);
    for my $size ($CAP - 1, $CAP, $CAP + 1) {
        is(said($nginx->post('/cap', $OK . ' ' x ($size - length $OK))),
            $size > $CAP ? '413' : "200 42\n", "of $size bytes");
    }
    $client = raw("POST /run HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
        . "${POST}Content-Length: " . length($OK) . "\r\n\r\n$OK");
    my $first = $client->_head(30);
    is($first->{status}, 415, 'of another type is refused');
    substr $client->{buf}, 0, $first->{headers}{'content-length'}, '';
    is(said($client->answer(30)), "200 42\n",
        'and the next request of the connection is served');
};


subtest 'methods' => sub {
    my $answer = $nginx->get('/run', method => 'HEAD');
    is("$answer->{status} $answer->{headers}{allow} $answer->{body}",
        '405 GET, POST, OPTIONS ', 'HEAD');
    is($nginx->get('/run', method => $_)->{status}, 405, $_)
        for qw(PUT DELETE PATCH);
    $answer = $nginx->get('/run', method => 'OPTIONS', headers => [
        'Origin: https://a.example', 'Access-Control-Request-Method: POST',
        'Access-Control-Request-Headers: content-type' ]);
    is($answer->{status}, 204, 'a preflight');
    is($answer->{headers}{'access-control-allow-origin'}, 'https://a.example',
        'of an origin that is allowed');
    like($answer->{headers}{'access-control-allow-methods'}, qr/\bPOST\b/,
        'may POST');
    is($answer->{body}, '', 'and has no body');
    is($nginx->get('/run', method => 'OPTIONS', headers => [
        'Origin: https://b.example', 'Access-Control-Request-Method: POST' ])
        ->{status}, 403, 'another origin may not');
    $answer = $nginx->get('/run');
    is(join(' ', $answer->{status}, @{ $answer->{headers} }
        {qw(upgrade sec-websocket-version content-type)}),
        '426 websocket 13 application/json', 'a GET is to upgrade');
    is($answer->{json}{detail}, $answer->{json}{message}, 'and told so');
};


subtest 'Accept' => sub {
    for ([ 'text/event-stream', 1 ], [ 'Text/Event-Stream;q=0.1', 1 ],
        [ 'text/event-stream, */*', 1 ],
        [ 'text/event-stream, application/json;q=0.5', 1 ],
        [ 'text/event-stream;q=0', 0 ], [ 'text/event-streams', 0 ],
        [ 'application/json, text/event-stream', 0 ], [ '*/*', 0 ]) {
        my ($accept, $events) = @{$_};
        my $answer = $nginx->post('/run', $OK,
            headers => [ "Accept: $accept" ]);
        is($answer->{headers}{'content-type'}, $events ? 'text/event-stream'
            : 'application/json', $accept);
    }
};


subtest 'JSON' => sub {
    is(said($nginx->post('/run', $_->[0])), $_->[1], $_->[2]) for
        [ '{"language":"c","language":"python","code":"print(1)"}',
            "200 1\n", 'of names that come twice the last counts' ],
        [ " \r\n\t$OK\n ", "200 42\n", 'white space around it' ],
        [ '{"language":"python","code":"print(1)","x":[[[{}]]]}', "200 1\n",
            'what is not known' ],
        [ '{"l\u0061nguage":"PYTHON","code":"print(\u0031)"}', "200 1\n",
            'escapes' ];
    is(said($nginx->post('/run', $_->[0])), '400 bad_message', $_->[1]) for
        [ '[' x 3000, 'depth' ], [ '{"a":' x 2000, 'depth of objects' ],
        [ "$OK x", 'something behind it' ], [ "$OK$OK", 'two of them' ],
        [ "\xef\xbb\xbf$OK", 'a byte order mark' ], [ 'null', 'null' ],
        [ '[]', 'a list' ], [ '{}', 'nothing in it' ],
        [ '{"language":"python","code":"\ud800"}', 'half a surrogate' ],
        [ "{\"language\":\"python\",\"code\":\"\xff\"}", 'no UTF-8' ],
        [ "{\"language\":\"python\",\"code\":\"a\nb\"}", 'a bare newline' ],
        [ '{"language":"python","code":1}', 'a number for code' ],
        [ '{"language":"python","code":"1","limits":{"wall_time":1e999}}',
            'a number beyond numbers' ],
        [ '{"language":"python","code":"1","limits":{"wall_time":"5"}}',
            'a string for a limit' ],
        [ "{'language':'python'}", 'what is nearly JSON' ];
};

$nginx->finish;
done_testing();
