// Stamps, digests, publishing, sweeping and locks, on real files and with real processes.
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <random>
#include <thread>
#include <vector>

#include "dataset/copy_file.h"
#include "dataset/test_folder.h"
#include "imgmill/dataset/file_identity.h"
#include "imgmill/dataset/publish.h"

using namespace imgmill;

TEST_CASE("the digest is XXH3-128 in canonical form, whatever the length") {
  // XXH128 of no bytes with seed 0, from xxHash's specification and `xxhsum -H2 /dev/null`.
  CHECK(DigestOfBytes("", 0).Hex() == "99aa06d3014798d86001c324468d497f");
  const TestFolder folder;
  // Around the chunk of 1 MiB, where a streaming digest goes wrong if it ever does; the one-shot digest is
  // the oracle.
  for (const size_t size : {size_t{0}, size_t{1}, size_t{1 << 20} - 1, size_t{1 << 20}, size_t{1 << 20} + 1,
                            size_t{2 << 20}, size_t{5'000'003}}) {
    CAPTURE(size);
    std::string content(size, '\0');
    for (size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 2654435761U >> 13);
    const std::string path = folder.Write("file", content);
    CHECK(DigestOf(path).value() == DigestOfBytes(content.data(), size));
    CHECK(StampOf(path).value().size == static_cast<int64_t>(size));
  }
  const ContentDigest digest = DigestOfBytes("abc", 3);
  CHECK(ContentDigest::FromHex(digest.Hex()) == digest);
  CHECK(!ContentDigest::FromHex("99aa"));
  CHECK(!ContentDigest::FromHex("99aa06d3014798d86001c324468d497G"));
}

TEST_CASE("a file in another's place has another stamp, whatever its size and time") {
  const TestFolder folder;
  const timespec times[2] = {{1'500'000'000, 5}, {1'500'000'000, 5}};
  const auto write = [&](const std::string& name, const std::string& content) {
    REQUIRE(::utimensat(AT_FDCWD, folder.Write(name, content).c_str(), times, 0) == 0);
  };
  write("a", "one");
  write("b", "two");
  const FileStamp first = StampOf(folder / "a").value();
  const ContentDigest one = DigestOf(folder / "a").value();
  CHECK(IsAsSeen(folder / "a", first, one).value());
  CHECK(IsAsSeen(folder / "a", first, DigestOfBytes("two", 3)).value());  // the stamp is enough

  std::filesystem::create_hard_link(folder / "a", folder / "link");  // changes the stamp, not the content
  CHECK(StampOf(folder / "a").value().HasSameSizeAndTime(first));
  CHECK(StampOf(folder / "link").value() == StampOf(folder / "a").value());
  CHECK(IsAsSeen(folder / "a", first, one).value());

  std::filesystem::rename(folder / "b", folder / "a");
  CHECK(StampOf(folder / "a").value().HasSameSizeAndTime(first));
  CHECK(StampOf(folder / "a").value() != first);
  CHECK(!IsAsSeen(folder / "a", first, one).value());

  // Written in place, with its time set back.
  const FileStamp linked = StampOf(folder / "link").value();
  while (StampOf(folder / "link").value().ctime_ns ==
         linked.ctime_ns) {  // clocks of file systems tick slowly
    write("link", "six");
  }
  CHECK(StampOf(folder / "link").value().HasSameSizeAndTime(first));
  CHECK(!IsAsSeen(folder / "link", linked, one).value());
  CHECK(IsAsSeen(folder / "gone", first, one).error().code == Code::kNotFound);
}

TEST_CASE("shared content is found byte by byte, with the digest of the whole") {
  const TestFolder folder;
  std::mt19937 random(1);
  for (const size_t size : {0UL, 1UL, 1000UL, 262'143UL, 262'144UL, 262'145UL, 1'000'000UL}) {
    CAPTURE(size);
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    folder.Write("a", bytes);
    folder.Write("b", bytes);
    const auto shared = SharedContent(folder / "a", folder / "b");
    REQUIRE(shared);
    CHECK(*shared == DigestOf(folder / "a").value());
    for (const size_t at : {size_t{0}, size / 2, size - 1}) {
      if (size == 0) break;
      std::string other = bytes;
      other[at] = static_cast<char>(other[at] ^ 1);
      folder.Write("b", other);
      CHECK(!SharedContent(folder / "a", folder / "b").value());
    }
    folder.Write("b", bytes + "x");
    CHECK(!SharedContent(folder / "a", folder / "b").value());
  }
  CHECK(SharedContent(folder / "a", folder / "gone").error().code == Code::kNotFound);
  CHECK(SharedContent(folder / "a", folder.path()).error().code == Code::kUnsupported);
}

TEST_CASE("what is no file has neither stamp nor digest, and a pipe does not hang") {
  const TestFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(StampOf(folder.path()).error().code == Code::kUnsupported);
  CHECK(DigestOf(folder.path()).error().code == Code::kUnsupported);
  CHECK(DigestOf(folder / "pipe").error().code == Code::kUnsupported);
  CHECK(StampOf(folder / "gone").error().code == Code::kNotFound);
  CHECK(DigestOf(folder / "gone").error().code == Code::kNotFound);
}

TEST_CASE("a link is told from what it leads to, whose stamp it has") {
  const TestFolder folder;
  folder.Write("a", "one");
  std::filesystem::create_symlink("a", folder / "link");
  std::filesystem::create_symlink("gone", folder / "dangling");
  std::filesystem::create_symlink(folder.path(), folder / "folder");
  const FileStamp stamp = StampOf(folder / "a").value();
  CHECK(EntryOf(folder / "a").value().stamp == stamp);
  CHECK(!EntryOf(folder / "a").value().is_link);
  CHECK(EntryOf(folder / "link").value().stamp == stamp);
  CHECK(EntryOf(folder / "link").value().is_link);
  CHECK(!EntryOf(folder / "folder/a").value().is_link);
  CHECK(EntryOf(folder / "folder").error().code == Code::kUnsupported);
  CHECK(EntryOf(folder / "dangling").error().code == Code::kNotFound);
  CHECK(EntryOf(folder / "gone").error().code == Code::kNotFound);
}

TEST_CASE("a copy keeps extended attributes, however many and long") {
  const TestFolder where(::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
  const std::string from = where.Write("a.jpg", "bytes");
  std::vector<std::string> names = {"user.rating"};
  for (int i = 0; i < 17; ++i) names.push_back("user." + std::string(240, 'n') + std::to_string(i));
  const std::string value(6000, 'v');
  for (const std::string& name : names) {
    if (::setxattr(from.c_str(), name.c_str(), value.data(), value.size(), 0) == 0) continue;
    MESSAGE("SKIPPED: this file system does not take as many attributes");
    return;
  }
  const std::string to = where.path() + "/b.jpg";
  REQUIRE(CopyFile(from, to, CopiedAs()));
  for (const std::string& name : names) {
    std::string kept(value.size(), ' ');
    CHECK(::getxattr(to.c_str(), name.c_str(), kept.data(), kept.size()) ==
          static_cast<ssize_t>(value.size()));
    CHECK(kept == value);
  }
}

TEST_CASE("a file is replaced whole, or refused") {
  const TestFolder folder;
  const std::string path = folder / "report.json";
  REQUIRE(WriteFileAtomically(path, "one"));
  REQUIRE(WriteFileAtomically(path, "two"));
  CHECK(TestFolder::Read(path) == "two");

  const std::string temporary = TemporaryNameFor(path);
  CHECK(temporary.starts_with(folder / ".report.json.imgmill-"));
  CHECK(TemporaryNameFor(path) != temporary);
  std::ofstream(temporary) << "three";
  const Status refused = Publish(temporary, path, false);
  REQUIRE(!refused);
  CHECK(refused.error().code == Code::kConflict);
  CHECK(TestFolder::Read(path) == "two");
  CHECK(!TestFolder::Exists(temporary));

  std::ofstream(temporary) << "four";
  REQUIRE(Publish(temporary, folder / "new.json", false));
  CHECK(TestFolder::Read(folder / "new.json") == "four");
}

TEST_CASE("files that are published each by itself leave nothing where their folder cannot be synced") {
  const TestFolder folder;
  folder.Write("well/.a");
  folder.Write("unread/.a");
  std::vector<Status> published;
  // Rights are a thread's own, as the system has it, and a folder's owner may write there and not read.
  std::thread([&] {
    __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2] = {};
    std::filesystem::permissions(folder / "unread", std::filesystem::perms(0300));
    if (::syscall(SYS_capset, &head, none) != 0) return;
    const ReadyFile files[] = {{folder / "unread/.a", folder / "unread/a", false},
                               {folder / "well/.a", folder / "well/a", false}};
    published = PublishEach(files);
  }).join();
  std::filesystem::permissions(folder / "unread", std::filesystem::perms(0700));
  REQUIRE(published.size() == 2);
  CHECK_FALSE(published[0]);
  CHECK(published[1]);
  CHECK(std::filesystem::is_empty(folder / "unread"));
  CHECK(TestFolder::Exists(folder / "well/a"));
}

TEST_CASE("a name of the greatest length still has a temporary name") {
  const TestFolder folder;
  const std::string path = folder / std::string(255, 'n');
  REQUIRE(WriteFileAtomically(path, "x"));
  CHECK(TestFolder::Read(path) == "x");
}

TEST_CASE("a named file that is a link is followed, one that is a pipe or a device is written to") {
  const TestFolder folder;
  const std::string file = folder.Write("file", "old");
  REQUIRE(::symlink(file.c_str(), (folder / "link").c_str()) == 0);
  REQUIRE(WriteNamedFile(folder / "link", "new"));
  CHECK(TestFolder::Read(file) == "new");
  CHECK(std::filesystem::is_symlink(folder / "link"));
  REQUIRE(WriteNamedFile(folder / "another", "new"));
  CHECK(TestFolder::Read(folder / "another") == "new");

  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  const int reader = ::open((folder / "pipe").c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  REQUIRE(WriteNamedFile(folder / "pipe", "into it"));
  char text[16] = {};
  CHECK(::read(reader, text, sizeof text) == 7);
  CHECK(std::string(text) == "into it");
  ::close(reader);
  CHECK(std::filesystem::is_fifo(folder / "pipe"));
  CHECK(WriteNamedFile("/dev/full", "x").error().code == Code::kDiskFull);
  CHECK(std::filesystem::is_character_file("/dev/full"));
}

TEST_CASE("folders are made, and a file in the way is named") {
  const TestFolder folder;
  REQUIRE(MakeFolders(folder / "a/b//c/"));
  REQUIRE(MakeFolders(folder / "a/b/c"));
  CHECK(std::filesystem::is_directory(folder / "a/b/c"));
  folder.Write("file");
  CHECK(MakeFolders(folder / "file").error().code == Code::kConflict);
  CHECK(!MakeFolders(folder / "file/below"));
}

TEST_CASE("a full disk is told apart, and what was there stays") {
  const TestFolder folder;
  if (::mount("imgmill-test", folder.path().c_str(), "tmpfs", 0, "size=256k") != 0) {
    MESSAGE("SKIPPED: mounting a small tmpfs needs root");
    return;
  }
  REQUIRE(WriteFileAtomically(folder / "out", "old"));
  const Status status = WriteFileAtomically(folder / "out", std::string(1 << 20, 'x'));
  REQUIRE(!status);
  CHECK(status.error().code == Code::kDiskFull);
  CHECK(TestFolder::Read(folder / "out") == "old");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) ==
        1);  // no temporary left behind
  ::umount(folder.path().c_str());
}

TEST_CASE("sweeping takes the temporaries of dead processes only") {
  const TestFolder folder;
  std::filesystem::create_directory(folder / "sub");
  const std::string ours = TemporaryNameFor(folder / "sub/ours.png");
  std::ofstream(ours) << "x";
  const std::string list = folder / "names";
  const pid_t child = Fork([&] { std::ofstream(list) << TemporaryNameFor(folder / "sub/theirs.png"); });
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  std::string dead = TestFolder::Read(list);
  REQUIRE(dead.find("-" + std::to_string(child) + "-") != std::string::npos);
  // A forked child shares the run's token; another program's start would have another.
  const size_t pid_at = dead.find("-" + std::to_string(child) + "-");
  const size_t run_at = pid_at + std::to_string(child).size() + 2;
  const auto with_run = [&](const std::string& token) {
    return dead.substr(0, run_at) + token + dead.substr(run_at + 8);
  };
  const std::string killed = with_run("0badcafe");
  std::string reused = ours;  // our process id in an earlier run, as in a container where all runs have 1
  reused.replace(ours.rfind('-') - 8, 8, "0badcafe");
  std::string alive = killed;
  alive.replace(pid_at + 1, std::to_string(child).size(), std::to_string(::getppid()));
  // Killed, and its parent has not asked for it yet.
  const pid_t unasked = Fork([] {});
  siginfo_t end = {};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(unasked), &end, WEXITED | WNOWAIT) == 0);
  std::string ended = killed;
  ended.replace(pid_at + 1, std::to_string(child).size(), std::to_string(unasked));
  for (const std::string& path : {killed, reused, alive, ended}) std::ofstream(path) << "x";
  const std::string user = folder.Write("sub/.mine.tmp");
  const std::string image = folder.Write("sub/image.png");

  SweepTemporaries(folder.path());
  CHECK(!TestFolder::Exists(killed));
  CHECK(!TestFolder::Exists(reused));
  CHECK(!TestFolder::Exists(ended));
  REQUIRE(::waitpid(unasked, nullptr, 0) == unasked);
  CHECK(TestFolder::Exists(alive));
  CHECK(TestFolder::Exists(ours));
  CHECK(TestFolder::Exists(user));
  CHECK(TestFolder::Exists(image));
  SweepTemporaries(folder / "no such folder");
}

TEST_CASE("a lock names its holder, is freed by a kill, and leaves nothing behind") {
  const TestFolder folder;
  const std::string out = folder / "out";
  const pid_t child = Fork([&] {
    const auto lock = FolderLock::Take(out, "imgmill dedup photos\n");
    std::ofstream(folder / "ready") << (lock ? "yes" : "no");
    ::pause();
  });
  while (TestFolder::Read(folder / "ready").empty()) ::usleep(1000);
  REQUIRE(TestFolder::Read(folder / "ready") == "yes");
  const auto refused = FolderLock::Take(out, "imgmill dedup photos");
  REQUIRE(!refused);
  CHECK(refused.error().code == Code::kLocked);
  CAPTURE(refused.error().message);
  CHECK(refused.error().message.find("(pid " + std::to_string(child) +
                                     ", \"imgmill dedup photos\\x0a\", since 20") != std::string::npos);

  REQUIRE(::kill(child, SIGKILL) == 0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  {
    const auto taken = FolderLock::Take(out, "imgmill upscale");
    REQUIRE(taken);
    CHECK(FolderLock::Take(out, "second").error().code == Code::kLocked);  // the same process, too
  }
  CHECK(std::filesystem::is_empty(out));
  CHECK(FolderLock::Take(out, "third"));
}

TEST_CASE("a garbled lock note does no harm") {
  const TestFolder folder;
  const std::string note =
      folder.Write(".imgmill.lock", "pid \x01\xff\nhost\ncommand " + std::string(100000, 'c'));
  const auto taken = FolderLock::Take(folder.path(), "x");
  REQUIRE(taken);
  std::ofstream(note) << "pid \x01\xff\n";
  const auto refused = FolderLock::Take(folder.path(), "y");
  REQUIRE(!refused);
  CHECK(refused.error().code == Code::kLocked);
}

TEST_CASE("of many who want a lock at once, one has it at any time") {
  const TestFolder folder;
  std::atomic<int> holders{0};
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        const auto lock = FolderLock::Take(folder.path(), "x");
        if (!lock) continue;
        CHECK(holders.fetch_add(1) == 0);
        ++taken;
        holders.fetch_sub(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(taken > 0);
}
