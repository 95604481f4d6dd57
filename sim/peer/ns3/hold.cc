// The hold model of BenchmarkEngine (sim/bench_test.go), event for event, on the
// core of ns-3: five events wait for each process; each that happens changes 128
// bytes of state and causes one at a random process 10 to 60 ms later; one of five
// is a timer of 15 to 30 s. Prints a line in the format of Go benchmarks for each
// scheduler, each in a process of its own.
//
//   hold [-time SECONDS] [-events] [PROCESSES ...]
//
// With -events it prints how many events happen in the first 200 ms instead, which
// are as many as in Go.

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "ns3/core-module.h"

namespace {

constexpr uint64_t kMillisecond = 1000000, kSecond = 1000 * kMillisecond;
constexpr int kPending = 5;

uint64_t Mix(uint64_t z) {
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

uint64_t Absorb(uint64_t h, uint64_t word) { return Mix((h ^ word) + 0x9e3779b97f4a7c15); }

// Hash is prng.Hash3 with a last word of zero.
uint64_t Hash(uint64_t seed, uint64_t a, uint64_t b) {
  return Absorb(Absorb(Absorb(Absorb(seed, 3), a), b), 0);
}

struct State {
  uint64_t draws = 0, sum = 0;
  uint64_t rest[14] = {};
};

std::vector<State> states;
uint64_t handled = 0;

void Happen(uint32_t to, bool timer) {
  handled++;
  State& s = states[to];
  s.draws++;
  s.sum += ns3::Simulator::Now().GetNanoSeconds();
  const uint64_t r = Hash(1, to, s.draws);
  if (timer) {
    ns3::Simulator::Schedule(ns3::NanoSeconds(15 * kSecond + r % (15 * kSecond)), &Happen, to, true);
    return;
  }
  const uint64_t delay = 10 * kMillisecond + (r & 0xffffffff) % (50 * kMillisecond);
  const uint32_t next = (r >> 32) * states.size() >> 32;
  ns3::Simulator::Schedule(ns3::NanoSeconds(delay), &Happen, next, false);
}

void Begin(uint32_t processes) {
  states.resize(processes);
  for (uint32_t p = 0; p < processes; p++) {
    for (uint64_t k = 0; k + 1 < kPending; k++) {
      ns3::Simulator::Schedule(ns3::NanoSeconds(Hash(2, p, k) % (60 * kMillisecond)), &Happen, p, false);
    }
    ns3::Simulator::Schedule(ns3::NanoSeconds(Hash(3, p, 0) % (30 * kSecond)), &Happen, p, true);
  }
}

void RunFor(uint64_t ns) {
  ns3::Simulator::Stop(ns3::NanoSeconds(ns));
  ns3::Simulator::Run();
}

// Resident returns the bytes of memory that are in use.
uint64_t Resident() {
  unsigned long size = 0, resident = 0;
  if (FILE* f = fopen("/proc/self/statm", "r")) {
    if (fscanf(f, "%lu %lu", &size, &resident) != 2) resident = 0;
    fclose(f);
  }
  return resident * sysconf(_SC_PAGESIZE);
}

void Measure(const char* scheduler, uint32_t processes, double least) {
  ns3::ObjectFactory factory;
  factory.SetTypeId(std::string("ns3::") + scheduler);
  ns3::Simulator::SetScheduler(factory);
  const uint64_t before = Resident();
  Begin(processes);
  RunFor(20 * kMillisecond);
  const uint64_t begun = handled;
  const auto start = std::chrono::steady_clock::now();
  double seconds = 0;
  uint64_t steps = 0;
  for (; seconds < least; steps++) {
    RunFor(kMillisecond);
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  const double events = handled - begun;
  printf("BenchmarkEngine/processes=%u/engine=ns3/scheduler=%s-1 %lu %.0f ns/op", processes, scheduler, steps,
         seconds * 1e9 / steps);
  printf(" %.0f B/process %.0f events/s %.1f ns/event\n", double(Resident() - before) / processes, events / seconds,
         seconds * 1e9 / events);
}

// Apart calls f in a process of its own, which ends after a while, and ends this
// one if it fails.
template <typename F>
void Apart(const char* what, uint32_t processes, F f) {
  constexpr unsigned kPatience = 40;  // seconds
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    alarm(kPatience);
    f();
    fflush(stdout);
    _exit(0);
  }
  int status = 1;
  if (child < 0 || waitpid(child, &status, 0) < 0) {
    perror("hold");
    exit(1);
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
    printf("# %s with %u processes: no figure after %u s\n", what, processes, kPatience);
  } else if (status != 0) {
    fprintf(stderr, "hold: %s with %u processes failed\n", what, processes);
    exit(1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  double least = 1;
  bool count = false;
  std::vector<uint32_t> sizes;
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "-time") && i + 1 < argc) {
      least = atof(argv[++i]);
    } else if (!strcmp(argv[i], "-events")) {
      count = true;
    } else {
      sizes.push_back(strtoul(argv[i], nullptr, 10));
    }
  }
  if (sizes.empty()) sizes = {1 << 14, 1 << 16, 1 << 20};
  for (uint32_t n : sizes) {
    if (n == 0) {
      fprintf(stderr, "hold: want numbers of processes\n");
      return 2;
    }
    if (count) {
      Apart("the count", n, [=] {
        Begin(n);
        RunFor(200 * kMillisecond);
        printf("%u processes: %lu events in 200 ms\n", n, handled);
      });
      continue;
    }
    for (const char* s : {"MapScheduler", "HeapScheduler", "PriorityQueueScheduler", "CalendarScheduler"}) {
      Apart(s, n, [=] { Measure(s, n, least); });
    }
  }
}
