// Tables in C and C++ on the job of package tablebench (internal/tablebench/doc.go), key for key: absl::flat_hash_map
// and DPDK's rte_hash with keys of 24 bytes and values of 32 bits, which are added up. Prints a line in the format of
// Go benchmarks for each table, number of keys and kind of look-ups; an iteration is a batch of 256 look-ups.
//
//   peer-tables [-time SECONDS] [-n 1e3,1e5,1e6,1e7]
//
// Written against DPDK 22.11 and Abseil 20220623 of Debian 12. Built with -O3 -march=native, which makes the most of
// Abseil, as that is in headers; rte_hash is in a library that the distribution has built for any processor with
// SSE 4.2.

#include <rte_config.h>

#include <absl/container/flat_hash_map.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_memory.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>
#include <string>
#include <utility>
#include <vector>

// DPDK without reserved huge pages puts its memory into a file that is only in memory, for which most systems give
// small pages only. Without such files it takes anonymous memory, which can be had in pages of 2 MiB.
extern "C" int memfd_create(const char*, unsigned) noexcept {
  errno = ENOSYS;
  return -1;
}

namespace {

constexpr size_t kBatch = 256, kChecked = 1 << 16, kHuge = 2 << 20;

[[noreturn]] void Fail(const std::string& what) {
  fprintf(stderr, "peer-tables: %s\n", what.c_str());
  exit(1);
}

// ---- The job: what package tablebench says, word for word.

struct Key {
  uint64_t w[3];

  bool operator==(const Key& o) const { return ((w[0] ^ o.w[0]) | (w[1] ^ o.w[1]) | (w[2] ^ o.w[2])) == 0; }

  template <typename H>
  friend H AbslHashValue(H h, const Key& k) {
    return H::combine(std::move(h), k.w[0], k.w[1], k.w[2]);
  }
};

struct Id {
  Key key;
  uint64_t suffix;
};
static_assert(sizeof(Key) == 24 && sizeof(Id) == 32);

constexpr uint64_t kGolden = 0x9e3779b97f4a7c15, kSpread = 2654435761;
constexpr uint64_t kPresent = 1, kAbsent = 2, kQueries = 3;

uint64_t Mix(uint64_t z) {
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

Id At(uint64_t seed, uint64_t i) {
  const uint64_t state = seed + kGolden * 4 * i;
  return {{Mix(state + kGolden), Mix(state + 2 * kGolden), Mix(state + 3 * kGolden)}, Mix(state + 4 * kGolden)};
}

class Stream {
 public:
  uint64_t Next() { return Mix(state_ += kGolden); }

  uint64_t Below(uint64_t n) { return static_cast<unsigned __int128>(Next()) * n >> 64; }

  // Rank draws a number from 1 to n by Zipf's law with s = 1.
  uint64_t Rank(uint64_t n) {
    const uint64_t octaves = 64 - __builtin_clzll(n);
    for (;;) {
      const uint64_t first = uint64_t{1} << Below(octaves);
      const uint64_t k = first + Below(first);
      if (k <= n && Below(k) < first) return k;
    }
  }

 private:
  uint64_t state_ = kQueries;
};

// ---- Memory in pages of 2 MiB, as far as it is as large as one.

template <typename T>
struct Huge {
  using value_type = T;
  Huge() = default;
  template <typename U>
  Huge(const Huge<U>&) {}

  T* allocate(size_t n) {
    const size_t bytes = n * sizeof(T);
    if (bytes < kHuge) return static_cast<T*>(::operator new(bytes));
    void* p = aligned_alloc(kHuge, (bytes + kHuge - 1) / kHuge * kHuge);
    if (p == nullptr) throw std::bad_alloc();
    madvise(p, (bytes + kHuge - 1) / kHuge * kHuge, MADV_HUGEPAGE);
    return static_cast<T*>(p);
  }

  void deallocate(T* p, size_t n) {
    if (n * sizeof(T) < kHuge) {
      ::operator delete(p);
    } else {
      free(p);
    }
  }

  friend bool operator==(const Huge&, const Huge&) { return true; }
  friend bool operator!=(const Huge&, const Huge&) { return false; }
};

// MiB returns the sum of a line of /proc/self/smaps_rollup in MiB.
long MiB(const char* what) {
  char line[256];
  long kib = 0;
  if (FILE* f = fopen("/proc/self/smaps_rollup", "r")) {
    while (fgets(line, sizeof line, f)) {
      if (!strncmp(line, what, strlen(what))) kib = atol(line + strlen(what) + 1);
    }
    fclose(f);
  }
  return kib / 1024;
}

// ---- Look-ups and their time.

using Ids = std::vector<Id, Huge<Id>>;

struct Job {
  uint64_t n;
  int hit;
  bool zipf;
  Ids queries;
  uint64_t want = 0;  // the sum of the values that the first look-ups find

  Job(uint64_t n, int hit, bool zipf) : n(n), hit(hit), zipf(zipf) {
    Stream s;
    queries.resize(n <= 100000 ? 1 << 16 : 1 << 22);
    for (size_t i = 0; i < queries.size(); i++) {
      const bool present = hit == 100 || s.Next() >> 63 == 0;
      const uint64_t number = zipf ? s.Rank(n) * kSpread % n : s.Below(n);
      if (present && i < kChecked) want += number;
      queries[i] = At(present ? kPresent : kAbsent, number);
    }
  }
};

std::vector<Job> Jobs(uint64_t n) {
  std::vector<Job> jobs;
  jobs.reserve(4);
  for (int hit : {100, 50}) {
    for (bool zipf : {false, true}) jobs.emplace_back(n, hit, zipf);
  }
  return jobs;
}

// CheckJob ends the program if it draws other look-ups than package tablebench, whose test has the same digest.
void CheckJob() {
  uint64_t h = 0;
  for (const Job& j : Jobs(1000)) {
    for (size_t i = 0; i < 1000; i++) {
      const Id& id = j.queries[i];
      for (uint64_t w : {id.key.w[0], id.key.w[1], id.key.w[2], id.suffix}) h = Mix(h ^ w);
    }
  }
  if (h != 0x9a36833396a8654b) Fail("draws other look-ups than internal/tablebench");
}

struct Size {
  std::string name;
  uint64_t n;
};

double least = 1;  // seconds a row
volatile uint64_t sink;

// ProcessorTime returns for how many seconds the program has had a processor so far.
double ProcessorTime() {
  rusage u;
  getrusage(RUSAGE_SELF, &u);
  return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

// Measure times lookup, which looks 256 identifiers up and returns the sum of the values found.
template <typename F>
void Measure(const std::string& table, const Size& size, const std::vector<Job>& jobs, F lookup) {
  using Clock = std::chrono::steady_clock;
  for (const Job& j : jobs) {
    uint64_t sum = 0;
    for (size_t i = 0; i < kChecked; i += kBatch) sum += lookup(&j.queries[i]);
    if (sum != j.want) Fail(table + ": the values found do not add up");
    size_t batches = 0, i = 0;
    double seconds = 0;
    const double before = ProcessorTime();
    for (const auto start = Clock::now(); seconds < least;
         seconds = std::chrono::duration<double>(Clock::now() - start).count()) {
      for (int k = 0; k < 64; k++, batches++) {
        sum += lookup(&j.queries[i]);
        i = (i + kBatch) & (j.queries.size() - 1);
      }
    }
    const double used = ProcessorTime() - before;
    sink = sum;
    const double lookups = double(batches) * kBatch;
    printf("BenchmarkPeer/table=%s/n=%s/hit=%d/keys=%s %zu", table.c_str(), size.name.c_str(), j.hit,
           j.zipf ? "zipf" : "uniform", batches);
    printf(" %.2f ns/lookup %.0f lookups/s %.1f %%cpu\n", seconds * 1e9 / lookups, lookups / seconds,
           100 * used / seconds);
    fflush(stdout);
  }
}

// ---- Abseil.

void MeasureAbsl(const Size& size, const std::vector<Job>& jobs) {
  using Value = std::pair<const Key, uint32_t>;
  absl::flat_hash_map<Key, uint32_t, absl::Hash<Key>, std::equal_to<Key>, Huge<Value>> m;
  m.reserve(size.n);
  for (uint64_t i = 0; i < size.n; i++) m[At(kPresent, i).key] = i;
  const auto find = [&](const Key& key) -> uint64_t {
    const auto it = m.find(key);
    return it == m.end() ? 0 : it->second;
  };
  Measure("absl-find", size, jobs, [&](const Id* ids) {
    uint64_t sum = 0;
    for (size_t i = 0; i < kBatch; i++) sum += find(ids[i].key);
    return sum;
  });
  Measure("absl-prefetch16", size, jobs, [&](const Id* ids) {
    uint64_t sum = 0;
    for (size_t i = 0; i < kBatch; i += 16) {
      for (size_t k = i; k < i + 16; k++) m.prefetch(ids[k].key);
      for (size_t k = i; k < i + 16; k++) sum += find(ids[k].key);
    }
    return sum;
  });
}

// ---- DPDK.

// StartDpdk takes memory for tables of n keys. DPDK needs neither huge pages that were reserved nor a device here,
// but it binds the thread to a processor, which is undone.
void StartDpdk(uint64_t n) {
  const std::string mib = std::to_string(512 + n * 160 / (1 << 20));
  std::vector<std::string> args = {"peer-tables", "--no-huge",      "--no-shconf",   "--no-pci", "--no-telemetry",
                                   "-l",          "0",              "-m",            mib,        "--log-level=4"};
  std::vector<char*> argv;
  for (std::string& a : args) argv.push_back(a.data());
  cpu_set_t processors;
  sched_getaffinity(0, sizeof processors, &processors);
  if (rte_eal_init(argv.size(), argv.data()) < 0) Fail(std::string("DPDK does not start: ") + rte_strerror(rte_errno));
  sched_setaffinity(0, sizeof processors, &processors);
  rte_memseg_list_walk(
      [](const rte_memseg_list* list, void*) {
        madvise(list->base_va, list->len, MADV_HUGEPAGE);
        return 0;
      },
      nullptr);
}

template <size_t kBulk>
uint64_t LookupBulk(const rte_hash* h, const Id* ids) {
  static_assert(kBulk <= RTE_HASH_LOOKUP_BULK_MAX);
  uint64_t sum = 0;
  for (size_t i = 0; i < kBatch; i += kBulk) {
    const void* keys[kBulk];
    void* values[kBulk];
    uint64_t found = 0;
    for (size_t k = 0; k < kBulk; k++) keys[k] = &ids[i + k].key;
    rte_hash_lookup_bulk_data(h, keys, kBulk, &found, values);
    for (; found != 0; found &= found - 1) sum += reinterpret_cast<uintptr_t>(values[__builtin_ctzll(found)]);
  }
  return sum;
}

// MeasureDpdk makes tables with room for a quarter more than they hold, for without overflow the last of exactly as
// many may find no place.
void MeasureDpdk(const std::string& table, uint8_t flags, const Size& size, const std::vector<Job>& jobs) {
  rte_hash_parameters p = {};
  p.name = table.c_str();
  p.entries = size.n + size.n / 4;
  p.key_len = sizeof(Key);
  p.hash_func = rte_hash_crc;
  p.hash_func_init_val = 0x12345;
  p.extra_flag = flags;
  rte_hash* h = rte_hash_create(&p);
  if (h == nullptr) Fail(table + ": " + rte_strerror(rte_errno));
  for (uint64_t i = 0; i < size.n; i++) {
    const Id id = At(kPresent, i);
    if (rte_hash_add_key_data(h, &id.key, reinterpret_cast<void*>(i)) < 0) Fail(table + " is full");
  }
  Measure(table + "-bulk32", size, jobs, [=](const Id* ids) { return LookupBulk<32>(h, ids); });
  Measure(table + "-bulk64", size, jobs, [=](const Id* ids) { return LookupBulk<64>(h, ids); });
  printf("# %s, n=%s: %ld of %ld MiB of memory in huge pages\n", table.c_str(), size.name.c_str(), MiB("AnonHugePages:"),
         MiB("Rss:"));
  rte_hash_free(h);
}

std::vector<Size> ParseSizes(const std::string& list) {
  std::vector<Size> sizes;
  for (size_t from = 0; from <= list.size();) {
    const size_t to = std::min(list.find(',', from), list.size());
    const std::string name = list.substr(from, to - from);
    const double n = atof(name.c_str());
    if (!(n >= 8 && n <= 1e9)) Fail("-n " + list + ": want numbers of keys from 8 to 1e9, with commas between");
    sizes.push_back({name, static_cast<uint64_t>(n)});
    from = to + 1;
  }
  return sizes;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Size> sizes = ParseSizes("1e3,1e5,1e6,1e7");
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 < argc && !strcmp(argv[i], "-time")) {
      least = atof(argv[i + 1]);
    } else if (i + 1 < argc && !strcmp(argv[i], "-n")) {
      sizes = ParseSizes(argv[i + 1]);
    } else {
      fprintf(stderr, "usage: peer-tables [-time SECONDS] [-n 1e3,1e5,1e6,1e7]\n");
      return 2;
    }
  }
  uint64_t largest = 0;
  for (const Size& s : sizes) largest = std::max(largest, s.n);
  CheckJob();
  StartDpdk(largest);
  for (const Size& s : sizes) {
    const std::vector<Job> jobs = Jobs(s.n);
    MeasureAbsl(s, jobs);
    MeasureDpdk("dpdk", 0, s, jobs);
    MeasureDpdk("dpdk-lfext", RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF | RTE_HASH_EXTRA_FLAGS_EXT_TABLE, s, jobs);
  }
}
