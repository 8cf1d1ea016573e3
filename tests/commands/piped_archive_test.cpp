// A hostile archive on a pipe, into each command: what is sound in it is worked on, each other member is a
// failure, and nothing is written but where the command writes. Headers are written here byte by byte, as by
// POSIX.1-1988, since no program writes such archives.
#include <doctest/doctest.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

/// @param type  '0' a file, '1' a hard link, '2' a symbolic one, '3' a device
/// @param size  what the header claims; the data's where it is empty
std::string Member(const std::string& name, const std::string& data, char type = '0', std::string size = {},
                   const std::string& link = {}) {
  std::string header(512, '\0');
  const auto put = [&](size_t at, const std::string& text) { header.replace(at, text.size(), text); };
  char digits[16];
  if (size.empty()) {
    std::snprintf(digits, sizeof digits, "%011zo", data.size());
    size = digits;
  }
  put(0, name), put(100, "0000644"), put(108, "0000000"), put(116, "0000000");
  put(124, size), put(136, "00000000000"), put(148, "        ");
  header[156] = type;
  put(157, link);
  put(257, std::string("ustar\00000", 8));
  unsigned sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  std::snprintf(digits, sizeof digits, "%06o", sum);
  put(148, std::string(digits) + std::string(1, '\0') + " ");
  return header + data + std::string((512 - data.size() % 512) % 512, '\0');
}

struct Hostile {
  std::string bytes;
  std::set<std::string> sound, failing;  ///< names of members
};

Hostile MakeHostile() {
  const std::string clock = TestFolder::Read(SampleData() + "/clock.jpg");
  const std::string icon = TestFolder::Read(SampleData() + "/icon_tiny.png");
  Hostile archive;
  archive.bytes = Member("../up.jpg", clock) + Member("x/../../up.jpg", clock) + Member("/up.jpg", clock) +
                  Member("link.jpg", "", '2', {}, "/etc/passwd") + Member("hard.jpg", "", '1', {}, "up.jpg") +
                  Member("device.jpg", "", '3') + Member("twice.png", clock) + Member("twice.png", icon) +
                  Member("-rf.jpg", clock) + Member("a\nb.jpg", clock) +
                  Member("huge.jpg", clock, '0', std::string("\x80\0\0\0\0\0\0\2\0\0\0\0", 12));  // 8 GiB
  archive.sound = {"up.jpg", "twice.png", "-rf.jpg", "a\\x0ab.jpg"};
  archive.failing = {"../up.jpg",  "x/../../up.jpg", "link.jpg", "hard.jpg",
                     "device.jpg", "twice.png",      "huge.jpg"};
  return archive;
}

/// Paths below a folder, without catalogs.
std::set<std::string> PathsBelow(const std::string& folder) {
  std::set<std::string> paths;
  for (const auto& [path, bytes] : ReadFolder(folder)) paths.insert(path);
  return paths;
}

}  // namespace

TEST_CASE("of a hostile archive on a pipe each command takes what is sound, and says what is not") {
  const Hostile hostile = MakeHostile();
  for (const Words& command :
       {Words{"filter", "--keep", "width>0", "--action", "copy", "--to", "out/copies"},
        Words{"filter", "--keep", "width>0", "--pack", "out/kept"}, Words{"dedup"},
        Words{"dedup", "--pack", "out/kept"}, Words{"tile", "--size", "16", "-o", "out/tiles"},
        Words{"upscale", "--method", "nearest", "-o", "out/large"}, Words{"frames", "-o", "out/frames"},
        Words{"embed"}, Words{"compare", "--pair", "x.tar"}, Words{"pack", "-o", "out/shards"}}) {
    const TestFolder where;
    where.Write("x.tar", hostile.bytes);
    fs::create_directories(where / "deep/down/out");
    Words words = {"/bin/sh", "-c", "cd " + (where / "deep/down") + R"( && cat ../../x.tar | "$0" "$@")"};
    for (const std::string& word : Imgmill(command)) words.push_back(word == "x.tar" ? "../../x.tar" : word);
    words.insert(words.end(), {"-", "--json", "--catalog", where / "catalog"});
    const ProcessResult run = Process(words, WithState({})).Wait();
    CAPTURE(command.front());
    INFO(run.err);
    CHECK(run.exit_code == 1);
    const nlohmann::json document = Json(run);
    std::set<std::string> failed;
    for (const nlohmann::json& each : document["failed"]) {
      const std::string path = each["path"];
      if (path.starts_with("stdin.tar/")) failed.insert(path.substr(10));
    }
    CHECK(failed == hostile.failing);
    CHECK(document["listed"].get<size_t>() - document["failed"].size() == hostile.sound.size());
    for (const std::string& path : PathsBelow(where.path()))
      CHECK((path == "x.tar" || path.starts_with("catalog/") || path.starts_with("deep/down/out/")));
  }
}

TEST_CASE("an archive on a pipe is not what images are compared with") {
  for (const Words& words :
       {Words{"compare", SampleData(), "-"}, Words{"compare", SampleData(), "--pair", "-"},
        Words{"dedup", SampleData(), "--reference", "-"},
        Words{"tile", SampleData(), "-o", "/nowhere", "--size", "9", "--pair", "-"},
        Words{"pack", SampleData(), "-o", "/nowhere", "--pair", "-"}}) {
    Words shell = {"/bin/sh", "-c", R"(exec "$0" "$@" < /dev/null)"};
    for (const std::string& word : Imgmill(words)) shell.push_back(word);
    const ProcessResult run = Process(shell, WithState({})).Wait();
    CAPTURE(run.err);
    CHECK(run.exit_code == 2);
    CHECK(run.err.find("an archive on stdin") != std::string::npos);
  }
}

TEST_CASE("nothing, zeros and what is no archive on a pipe") {
  const TestFolder where;
  const std::string good = Member("a.png", TestFolder::Read(SampleData() + "/icon_tiny.png"));
  const std::string other = Member("b.png", TestFolder::Read(SampleData() + "/badge_alpha.png"));
  const std::string end(1024, '\0');
  struct Case {
    std::string bytes;
    int exit_code;
    size_t done;
  };
  for (const auto& [bytes, exit_code, done] :
       {Case{good + end, 0, 1}, Case{end, 0, 0}, Case{"", 1, 0}, Case{good, 1, 1},
        Case{good + end + good, 1, 1}, Case{good + end + other + end, 0, 2}, Case{good.substr(0, 700), 1, 0},
        Case{good.substr(0, 100), 1, 0}, Case{"<html>404</html>", 1, 0}, Case{std::string(1000, 'x'), 1, 0},
        Case{Member("a.png", "x", '0', std::string(12, '\xff')) + end, 1, 0}}) {
    CAPTURE(bytes.size());
    where.Write("x.tar", bytes);
    for (const std::string command : {"dedup - --json", "embed - --json", "tile - --json --size 16 -o out",
                                      "filter - --json --keep 'width>0' --pack kept"}) {
      CAPTURE(command);
      fs::remove_all(where / "out");
      fs::remove_all(where / "kept");
      const ProcessResult run =
          Process({"/bin/sh", "-c", "cd " + where.path() + " && cat x.tar | $0 " + command, Imgmill({})[0]},
                  WithState({}))
              .Wait();
      INFO(run.err);
      CHECK(run.exit_code == exit_code);
      CHECK(Json(run)["done"] == done);
    }
  }
}

}  // namespace imgmill::process_test
