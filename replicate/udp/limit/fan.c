// fan sends as the benchmark of replicate/udp does, in C: one thread, one socket, copies of [header|payload], each with
// a header of its own. What it does not do is what Go's share of the cost is measured against.
//
//	fan FORM SIZE SEGMENTS MESSAGES MILLISECONDS < addresses
//
// FORM is sendmmsg or train, SIZE the bytes of a payload, SEGMENTS the datagrams of a train, MESSAGES those of a system
// call. Addresses are lines of a host and a port. It prints the copies sent, the nanoseconds of processor time of the
// thread, and how many messages were refused.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

enum { HEADER = 48, MAX_ADDRESSES = 4096, UDP_SEGMENT_OPTION = 103 };

static struct sockaddr_in addresses[MAX_ADDRESSES];

static int64_t wall(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int64_t processor(void) {
	struct rusage u;
	getrusage(RUSAGE_THREAD, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000LL + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000LL;
}

static int read_addresses(void) {
	char host[64];
	int n = 0, port;
	while (n < MAX_ADDRESSES && scanf("%63s %d", host, &port) == 2) {
		addresses[n].sin_family = AF_INET;
		addresses[n].sin_port = htons(port);
		if (inet_pton(AF_INET, host, &addresses[n].sin_addr) == 1)
			n++;
	}
	return n;
}

int main(int argc, char **argv) {
	if (argc != 6) {
		fprintf(stderr, "usage: fan FORM SIZE SEGMENTS MESSAGES MILLISECONDS\n");
		return 2;
	}
	int train = strcmp(argv[1], "train") == 0, size = atoi(argv[2]), segments = train ? atoi(argv[3]) : 1;
	int messages = atoi(argv[4]), fan = read_addresses(), s = socket(AF_INET, SOCK_DGRAM, 0), buffer = 4 << 20;
	if (fan < 1 || segments < 1 || messages < 1 || s < 0) {
		fprintf(stderr, "fan: no addresses, no messages or no socket\n");
		return 2;
	}
	if (setsockopt(s, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer) < 0)
		setsockopt(s, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);

	struct mmsghdr *m = calloc(messages, sizeof *m);
	struct iovec *v = calloc((size_t)messages * segments * 2, sizeof *v);
	char *headers = calloc((size_t)messages * segments, 64), *payload = malloc(size);
	union {
		char bytes[CMSG_SPACE(sizeof(uint16_t))];
		struct cmsghdr header;
	} *controls = calloc(messages, sizeof *controls);
	memset(payload, 'p', size);
	for (int i = 0; i < messages; i++) {
		struct msghdr *h = &m[i].msg_hdr;
		for (int k = 0; k < segments; k++) {
			struct iovec *pair = &v[(i * segments + k) * 2];
			pair[0] = (struct iovec){headers + (size_t)(i * segments + k) * 64, HEADER};
			pair[1] = (struct iovec){payload, size};
		}
		h->msg_iov = &v[i * segments * 2];
		h->msg_iovlen = segments * 2;
		h->msg_namelen = sizeof addresses[0];
		if (train) {
			h->msg_control = &controls[i];
			h->msg_controllen = sizeof controls[i].bytes;
			struct cmsghdr *c = CMSG_FIRSTHDR(h);
			c->cmsg_level = IPPROTO_UDP;
			c->cmsg_type = UDP_SEGMENT_OPTION;
			c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
			*(uint16_t *)CMSG_DATA(c) = HEADER + size;
		}
	}

	uint64_t copies = 0, refused = 0, number = 0;
	int next = 0;
	int64_t end = wall() + atoi(argv[5]) * 1000000LL, begin = processor();
	while (wall() < end) {
		for (int i = 0; i < messages; i++) {
			m[i].msg_hdr.msg_name = &addresses[next];
			if (++next == fan)
				next = 0;
			for (int k = 0; k < segments; k++)
				memcpy(headers + (size_t)(i * segments + k) * 64, &number, 8), number++;
		}
		for (int done = 0; done < messages;) {
			int n = sendmmsg(s, m + done, messages - done, MSG_DONTWAIT);
			if (n < 1) {
				refused++;
				n = 1;
			} else {
				copies += (uint64_t)n * segments;
			}
			done += n;
		}
	}
	printf("%llu %lld %llu\n", (unsigned long long)copies, (long long)(processor() - begin), (unsigned long long)refused);
	return 0;
}
