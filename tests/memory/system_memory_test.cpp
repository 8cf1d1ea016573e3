// What the kernel says, read from made-up trees and from the real one.
#include "imgmill/memory/system_memory.h"

#include <cstdint>

#include "memory/proc_file.h"
#include "memory_fixture.h"

namespace imgmill {
namespace {

using memory_test::ScratchFolder;
using memory_test::WriteFile;

TEST_CASE("the machine and the process have plausible numbers") {
  const SystemMemory system = ReadSystemMemory();
  CHECK(system.total > 100 * kMiB);
  CHECK(system.available <= system.total);
  const ProcessMemory process = ReadProcessMemory();
  CHECK(process.resident > kMiB);
  CHECK(process.peak_resident >= process.resident);
  CHECK(process.file_backed <= process.resident);
  CHECK(process.address_space >= process.resident);
  const ResidentReader reader;
  CHECK(static_cast<double>(reader.Read()) ==
        doctest::Approx(static_cast<double>(ReadProcessMemory().resident)).epsilon(0.3));
}

TEST_CASE("numbers are read as the kernel writes them") {
  CHECK(LeadingNumber("  123 kB") == 123);
  CHECK(LeadingNumber("max\n") == std::nullopt);
  CHECK(LeadingNumber("") == std::nullopt);
  CHECK(LeadingNumber("99999999999999999999999") == SIZE_MAX);
}

TEST_CASE("cgroup v2: the tightest of our group and its parents, inactive file cache not counted") {
  const ScratchFolder root;
  WriteFile(root / "proc/self/mountinfo",
            "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
  WriteFile(root / "proc/self/cgroup", "0::/batch/job1\n");
  WriteFile(root / "sys/fs/cgroup/batch/memory.max", "1000000000\n");
  WriteFile(root / "sys/fs/cgroup/batch/memory.current", "900000000\n");
  WriteFile(root / "sys/fs/cgroup/batch/memory.stat",
            "anon 600000000\nfile 300000000\ninactive_file 200000000\n");
  WriteFile(root / "sys/fs/cgroup/batch/job1/memory.max", "max\n");
  WriteFile(root / "sys/fs/cgroup/batch/job1/memory.current", "500000000\n");
  const auto parent = ReadCgroupMemoryUnder(root.path());
  REQUIRE(parent);
  CHECK(parent->version == 2);
  CHECK(parent->limit == 1000000000);
  CHECK(parent->used == 700000000);
  CHECK(parent->path == root / "sys/fs/cgroup/batch");

  WriteFile(root / "sys/fs/cgroup/batch/job1/memory.max", "600000000\n");
  const auto own = ReadCgroupMemoryUnder(root.path());
  REQUIRE(own);
  CHECK(own->limit == 600000000);
  CHECK(own->path == root / "sys/fs/cgroup/batch/job1");
}

TEST_CASE("cgroup v1 in a hybrid tree, mounted at an odd place with a blank in its name") {
  const ScratchFolder root;
  WriteFile(root / "proc/self/mountinfo",
            "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
            "33 31 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
            "35 31 0:32 / /mnt/cg\\040memory rw,relatime - cgroup cgroup rw,memory\n"
            "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  WriteFile(root / "proc/self/cgroup", "8:pids:/\n4:memory:/api/x\n1:cpu:/\n0::/\n");
  WriteFile(root / "mnt/cg memory/memory.limit_in_bytes", "9223372036854771712\n");
  WriteFile(root / "mnt/cg memory/memory.usage_in_bytes", "800000000\n");
  CHECK_FALSE(ReadCgroupMemoryUnder(root.path()));  // that number means "none"

  WriteFile(root / "mnt/cg memory/api/x/memory.limit_in_bytes", "268435456\n");
  WriteFile(root / "mnt/cg memory/api/x/memory.usage_in_bytes", "100000000\n");
  WriteFile(root / "mnt/cg memory/api/x/memory.stat",
            "cache 5\ninactive_file 11\ntotal_cache 9\ntotal_inactive_file 30000000\n");
  const auto memory = ReadCgroupMemoryUnder(root.path());
  REQUIRE(memory);
  CHECK(memory->version == 1);
  CHECK(memory->limit == 268435456);
  CHECK(memory->used == 70000000);
}

TEST_CASE("in a container only our own branch is mounted") {
  const ScratchFolder root;
  WriteFile(root / "proc/self/mountinfo",
            "50 40 0:26 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n");
  WriteFile(root / "proc/self/cgroup", "4:memory:/docker/abc\n");
  WriteFile(root / "sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912\n");
  WriteFile(root / "sys/fs/cgroup/memory/memory.usage_in_bytes", "1000\n");
  const auto memory = ReadCgroupMemoryUnder(root.path());
  REQUIRE(memory);
  CHECK(memory->limit == 536870912);
  CHECK(memory->used == 1000);

  // A cgroup namespace shows a group outside of it as a path upwards; the mount is all there is to see.
  WriteFile(root / "proc/self/cgroup", "4:memory:/../def\n");
  REQUIRE(ReadCgroupMemoryUnder(root.path()));
}

TEST_CASE("no cgroup files, no limit") {
  const ScratchFolder root;
  CHECK_FALSE(ReadCgroupMemoryUnder(root.path()));
}

}  // namespace
}  // namespace imgmill
