// The listing's order, its arguments, lists and patterns; std::sort and std::filesystem are the oracles.
#include "imgmill/dataset/listing.h"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <tuple>

#include "dataset/path_glob.h"
#include "dataset/sorted_paths.h"
#include "dataset/test_folder.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/output_names.h"

using namespace imgmill;
using Strings = std::vector<std::string>;

namespace {

std::vector<ListedFile> All(const ListOptions& options, Strings* problems = nullptr,
                            uint64_t* ignored = nullptr) {
  auto lister = Lister::Open(options);
  REQUIRE(lister);
  std::vector<ListedFile> files;
  while (auto file = (*lister)->Next()) {
    CHECK(file->index == files.size());
    files.push_back(*std::move(file));
  }
  CHECK(!(*lister)->Next());
  if (problems != nullptr) {
    for (const ListProblem& problem : (*lister)->problems()) problems->push_back(problem.path);
  } else {
    CHECK((*lister)->problems().empty());
  }
  if (ignored != nullptr) *ignored = (*lister)->ignored().files();
  CHECK(CountListed(options).value() == files.size());
  return files;
}

Strings Paths(const std::vector<ListedFile>& files) {
  Strings paths;
  for (const ListedFile& file : files) paths.push_back(file.path);
  return paths;
}

Strings Relatives(const std::vector<ListedFile>& files) {
  Strings paths;
  for (const ListedFile& file : files) paths.push_back(file.relative);
  return paths;
}

/// The working folder for the length of a test: relative arguments start from it.
class WorkIn {
 public:
  explicit WorkIn(const std::string& folder) : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(folder);
  }
  ~WorkIn() { std::filesystem::current_path(before_); }

 private:
  std::filesystem::path before_;
};

ListOptions Of(Strings paths) {
  ListOptions options;
  options.paths = std::move(paths);
  return options;
}

}  // namespace

TEST_CASE("random trees are listed in the bytewise order of whole paths") {
  std::mt19937 random(7);
  // Bytes around the slash (0x2F) in value, where sorting names and sorting paths differ, and bytes that are
  // no UTF-8.
  const Strings parts = {"a", "a-b", "a.b", "a0", "a!", "A", "b", "\xE9", "\xFF\xFE", "n\nl", " ", "z"};
  for (int tree = 0; tree < 30; ++tree) {
    const TestFolder folder;
    std::set<std::string> expected;
    for (int i = 0; i < 60; ++i) {
      std::string name;
      for (unsigned depth = random() % 4; depth > 0; --depth) name += parts[random() % parts.size()] + "/";
      name += parts[random() % parts.size()] + (random() % 2 == 0 ? ".png" : ".JPG");
      folder.Write(name);
      expected.insert(folder / name);
    }
    CHECK(Paths(All(Of({folder.path()}))) == Strings(expected.begin(), expected.end()));
  }
}

TEST_CASE("only images, and nothing hidden; what the user names is always listed") {
  const TestFolder folder;
  for (const char* name :
       {"a.jpg", "b.txt", "d.TIFF", ".hidden.jpg", ".hidden/e.jpg", "sub/f.webp", "g.jpg.part"})
    folder.Write(name);
  // Without an extension the first bytes tell: these are GIF's and TIFF's, by their specifications.
  folder.Write("c", "GIF89a");
  folder.Write("c2", std::string("MM\0*", 4));
  folder.Write("LICENSE", "Permission is hereby granted");
  folder.Write("empty");
  std::filesystem::create_directory(folder / "h.jpg");  // a folder with an image's name
  folder.Write("h.jpg/i.png");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  uint64_t ignored = 0;
  CHECK(Relatives(All(Of({folder.path()}), nullptr, &ignored)) ==
        Strings{"a.jpg", "c", "c2", "d.TIFF", "h.jpg/i.png", "sub/f.webp"});
  CHECK(ignored == 5);
  CHECK(Relatives(All(Of({folder.path(), folder / "LICENSE"}))).size() == 7);
  CHECK(Relatives(All(Of({folder / "b.txt", folder / ".hidden.jpg"}))) == Strings{".hidden.jpg", "b.txt"});
  CHECK(Relatives(All(Of({folder / ".hidden"}))) == Strings{"e.jpg"});
  ListOptions flat = Of({folder.path()});
  flat.recursive = false;
  CHECK(Relatives(All(flat)) == Strings{"a.jpg", "c", "c2", "d.TIFF"});
}

TEST_CASE("links: to files listed, to folders not followed, dangling a problem") {
  const TestFolder folder;
  folder.Write("real/a.jpg");
  std::filesystem::create_symlink("real/a.jpg", folder / "link.jpg");
  std::filesystem::create_directory_symlink(".", folder / "loop");
  std::filesystem::create_symlink("gone", folder / "dangling.jpg");
  Strings problems;
  CHECK(Relatives(All(Of({folder.path(), folder / "missing"}), &problems)) ==
        Strings{"link.jpg", "real/a.jpg"});
  std::sort(problems.begin(), problems.end());
  CHECK(problems == Strings{folder / "dangling.jpg", folder / "missing"});
  CHECK(Relatives(All(Of({folder / "loop/real"}))) ==
        Strings{"a.jpg"});  // a link that the user named is followed
}

TEST_CASE("a folder that may not be read is a problem, and the rest is listed") {
  if (::geteuid() == 0) {
    // Root may read all; a child gives that up for the length of the test.
    const TestFolder folder;
    folder.Write("a/1.jpg");
    folder.Write("b/2.jpg");
    REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
    REQUIRE(::chmod((folder / "a").c_str(), 0) == 0);
    const pid_t child = Fork([&] {
      if (::setresuid(65534, 65534, 65534) != 0) ::_exit(9);
      auto lister = Lister::Open(Of({folder.path()}));
      if (!lister) ::_exit(1);
      const auto file = (*lister)->Next();
      if (!file || file->relative != "b/2.jpg" || (*lister)->Next()) ::_exit(2);
      if ((*lister)->problems().size() != 1) ::_exit(3);
      ::_exit((*lister)->problems()[0].error.code == Code::kPermission ? 0 : 4);
    });
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    return;
  }
  MESSAGE("SKIPPED: changing the user needs root");
}

TEST_CASE("a stop ends the listing of a folder") {
  const TestFolder folder;
  folder.Write("a.jpg");
  folder.Write("b.jpg");
  StopFlag stop;
  ListOptions options;
  options.paths = {folder.path()};
  options.stop = &stop;
  auto lister = Lister::Open(options);
  REQUIRE(lister);
  CHECK((*lister)->Next()->relative == "a.jpg");
  stop.RequestStop();
  CHECK_FALSE((*lister)->Next().has_value());
  CHECK((*lister)->problems().empty());
}

TEST_CASE("a file reached twice appears once") {
  const TestFolder folder;
  for (const char* name : {"photos/a.jpg", "photos/b.jpg", "photos/sub/c.jpg", "photos/.h/d.jpg",
                           "photos/note.txt", "other/e.jpg"})
    folder.Write(name);
  std::filesystem::create_directory_symlink("photos", folder / "alias");
  const WorkIn here(folder.path());
  const Strings once = {"a.jpg", "b.jpg", "sub/c.jpg"};
  CHECK(Relatives(All(Of({"photos", "photos/a.jpg"}))) == once);
  CHECK(Relatives(All(Of({"./photos//", "photos", "alias", folder / "photos"}))) == once);
  CHECK(Relatives(All(Of({"photos", "photos/sub", "alias/sub/c.jpg"}))) == once);
  CHECK(Relatives(All(Of({"photos/sub/../a.jpg", "photos/a.jpg"}))) == Strings{"a.jpg"});
  // What the folder's walk does not reach stays.
  CHECK(Paths(All(Of({"photos", "photos/.h", "photos/note.txt"}))) ==
        Strings{"photos/a.jpg", "photos/b.jpg", "photos/sub/c.jpg", "photos/.h/d.jpg", "photos/note.txt"});
  ListOptions flat = Of({"photos", "photos/sub"});
  flat.recursive = false;
  CHECK(Paths(All(flat)) == Strings{"photos/a.jpg", "photos/b.jpg", "photos/sub/c.jpg"});
  ListOptions pattern = Of({"photos", "photos/sub"});
  pattern.include = {"/c.jpg", "/a.jpg"};  // c.jpg only seen from the inner folder
  CHECK(Relatives(All(pattern)) == Strings{"a.jpg", "sub/c.jpg"});
  pattern.include = {"**/c.jpg", "/a.jpg"};  // c.jpg seen from both
  CHECK(Relatives(All(pattern)) == Strings{"a.jpg", "sub/c.jpg"});
}

TEST_CASE("output names: below one folder; named by several folders; as given where names meet") {
  const TestFolder folder;
  for (const char* name : {"x/train/1.jpg", "y/train/1.jpg", "val/1.jpg", "val/2.jpg"}) folder.Write(name);
  const WorkIn here(folder.path());
  CHECK(Relatives(All(Of({"val"}))) == Strings{"1.jpg", "2.jpg"});
  CHECK(Relatives(All(Of({"x/train", "val"}))) == Strings{"val/1.jpg", "val/2.jpg", "train/1.jpg"});
  CHECK(Relatives(All(Of({"x/train", "y/train"}))) == Strings{"x/train/1.jpg", "y/train/1.jpg"});
  CHECK(Relatives(All(Of({"val/1.jpg", "val/2.jpg"}))) == Strings{"1.jpg", "2.jpg"});
  CHECK(Relatives(All(Of({"val/1.jpg", "val/2.jpg", "x/train/1.jpg"}))) ==
        Strings{"val/1.jpg", "2.jpg", "x/train/1.jpg"});
  const WorkIn below(folder / "val");
  CHECK(Relatives(All(Of({"."}))) == Strings{"1.jpg", "2.jpg"});
  CHECK(Relatives(All(Of({".", "../x"}))) == Strings{"val/1.jpg", "val/2.jpg", "x/train/1.jpg"});
  CHECK(Relatives(All(Of({"../val/1.jpg", "../x/train/1.jpg"}))) == Strings{"val/1.jpg", "x/train/1.jpg"});
}

TEST_CASE("output names differ where all that is left of two paths is the same") {
  const TestFolder folder;
  for (const char* name : {"here/a/1.jpg", "a/1.jpg", "here/2.jpg", "2.jpg", "b/a/1.jpg"}) folder.Write(name);
  const WorkIn here(folder / "here");
  // Marks: `printf a | xxh128sum`, its first eight digits.
  CHECK(Relatives(All(Of({"a", "../a"}))) == Strings{"a-7173bd05/1.jpg", "a-a96faf70/1.jpg"});
  CHECK(Relatives(All(Of({"a", "../a", "../b/a"}))) ==
        Strings{"a-7173bd05/1.jpg", "b/a/1.jpg", "a-a96faf70/1.jpg"});
  CHECK(Relatives(All(Of({"2.jpg", "../2.jpg"}))) == Strings{"2-4a61241a.jpg", "2-f0e15964.jpg"});
}

TEST_CASE("output names are the same where another argument is missing, or empty") {
  const TestFolder folder;
  const std::vector<Strings> runs = {{"x/train", "val"},
                                     {"x/train", "y/train"},
                                     {"x/train", "y/train.tar"},
                                     {"x/train", "x/train/sub", "val"},
                                     {"x/train", "x/train/sub"},
                                     {"x/train", "val/1.jpg"},
                                     {"x/train/1.jpg", "val"},
                                     {"x/train/1.jpg", "val/1.jpg"},
                                     {"x/train/1.jpg", "val/1.png"},
                                     {"drive", "drive/sub", "x/sub"},
                                     {"drive", "drive/1.jpg", "x/1.jpg"}};
  const WorkIn here(folder.path());
  for (const Strings& paths : runs) {
    const auto fill = [&](const std::string& argument) {
      for (const char* name : {"x/train/1.jpg", "x/train/sub/1.jpg", "y/train/1.jpg", "val/1.jpg",
                               "val/1.png", "drive/1.jpg", "drive/sub/1.jpg", "x/sub/1.jpg", "x/1.jpg"})
        if ((name + std::string("/")).starts_with(argument + "/")) folder.Write(name);
    };
    for (const std::string& path : paths) fill(path);
    if (paths.back().ends_with(".tar")) {
      folder.Write("t/1.jpg");
      std::filesystem::create_directory("y");
      REQUIRE(std::system("tar -C t -cf y/train.tar 1.jpg") == 0);
    }
    std::map<std::string, std::string> whole;
    for (const ListedFile& file : All(Of(paths))) whole[file.path] = OutputNameFor(file, ".webp");
    for (const std::string& gone : paths) {
      std::filesystem::rename(gone, "gone");
      Strings problems;
      const std::vector<ListedFile> rest = All(Of(paths), &problems);
      CHECK(std::count(problems.begin(), problems.end(), gone) == 1);
      for (const ListedFile& file : rest) CHECK(OutputNameFor(file, ".webp") == whole[file.path]);
      if (std::filesystem::is_directory("gone")) {
        std::filesystem::create_directory(gone);
        for (const ListedFile& file : All(Of(paths), &problems))
          CHECK(OutputNameFor(file, ".webp") == whole[file.path]);
        std::filesystem::remove(gone);
      }
      std::filesystem::rename("gone", gone);
    }
    for (const char* each : {"x", "y", "val", "t", "drive"}) std::filesystem::remove_all(each);
  }
}

TEST_CASE("output names are the same where links lead to what is missing") {
  const TestFolder folder;
  for (const char* name : {"disk/photos/1.jpg", "x/photos/1.jpg", "x/usb/1.jpg"}) folder.Write(name);
  const WorkIn here(folder.path());
  std::filesystem::create_directory_symlink(folder / "disk/photos", "usb");
  std::filesystem::create_directory_symlink("disk", "mnt");
  std::filesystem::create_directory_symlink("../mnt/photos", "x/far");
  std::filesystem::create_symlink("round", "round");
  const std::vector<std::pair<Strings, std::string>> runs = {
      {{"x/photos", "usb"}, "x/photos/1.jpg"},
      {{"x/usb", "usb"}, "usb/1.jpg"},
      {{"x/photos", "mnt/photos"}, "x/photos/1.jpg"},
      {{"x/photos", "disk", "x/far"}, "photos/1.jpg"},
      {{"x/photos/1.jpg", "disk", "mnt/photos/1.jpg"}, "1.jpg"},
      {{"x/photos", "round/photos"}, "x/photos/1.jpg"}};
  for (const auto& [paths, name] : runs) {
    for (const bool missing : {false, true}) {
      CAPTURE(name);
      CAPTURE(missing);
      if (missing) std::filesystem::rename("disk", "gone");
      Strings problems;
      const std::vector<ListedFile> files = All(Of(paths), &problems);
      const auto ours = std::find_if(files.begin(), files.end(), [&](const ListedFile& file) {
        return file.path.starts_with(paths.front());
      });
      REQUIRE(ours != files.end());
      CHECK(ours->relative == name);
      if (missing) std::filesystem::rename("gone", "disk");
    }
  }
}

TEST_CASE("neighbours that would want one output name are marked") {
  const TestFolder folder;
  for (const char* name : {"a.jpg", "a-b.jpg", "a.webp", "b.jpg", "b.jpg.png", "b.png", "c.jpg", "c.txt",
                           "d.png", "d.x.png", "sub/a.jpg"})
    folder.Write(name);
  folder.Write("d", "GIF89a");
  const auto clashes = [](const std::vector<ListedFile>& files) {
    std::map<std::string, NameClash> map;
    for (const ListedFile& file : files) map[file.relative] = file.clash;
    return map;
  };
  using enum NameClash;
  const std::map<std::string, NameClash> expected = {
      {"a-b.jpg", kNone},   {"a.jpg", kStem},   {"a.webp", kStem},   {"b.jpg", kName},
      {"b.jpg.png", kNone}, {"b.png", kStem},   {"c.jpg", kNone},    {"d", kName},
      {"d.png", kStem},     {"d.x.png", kNone}, {"sub/a.jpg", kNone}};
  CHECK(clashes(All(Of({folder.path()}))) == expected);
  ListOptions jpg = Of({folder.path()});
  jpg.include = {"*.jpg"};
  for (const auto& [name, clash] : clashes(All(jpg))) CHECK_MESSAGE(clash == kNone, name);
  // As arguments and as a list the same files are seen alike.
  Strings paths;
  std::string list;
  for (const auto& [name, clash] : expected) {
    paths.push_back(folder / name);
    list += folder / name + "\n";
  }
  std::erase(paths, folder / "sub/a.jpg");
  for (const auto& [name, clash] : clashes(All(Of(paths)))) CHECK_MESSAGE(clash == expected.at(name), name);
  ListOptions from;
  from.files_from = folder.Write("list", list);
  for (const ListedFile& file : All(from)) {
    CHECK_MESSAGE(file.clash == expected.at(file.relative.substr(folder.path().size())), file.relative);
  }
}

TEST_CASE("lists: newline or NUL, sorted, each once, structure kept") {
  const TestFolder folder;
  for (const char* name : {"in/a.jpg", "in/n\nl.jpg", "in/b/c.jpg", "z.jpg"}) folder.Write(name);
  const WorkIn here(folder.path());
  ListOptions options;
  options.files_from =
      folder.Write("list", "z.jpg\n\n./in/b/c.jpg\nin//a.jpg\nin/a.jpg\n../" +
                               folder.path().substr(folder.path().rfind('/') + 1) + "/z.jpg\n/nowhere/x.jpg");
  Strings problems;
  CHECK(Relatives(All(options, &problems)) == Strings{"in/a.jpg", "in/b/c.jpg", "z.jpg"});
  CHECK(problems == Strings{"/nowhere/x.jpg"});
  std::filesystem::create_directory_symlink("in", folder / "way");
  options.files_from =
      folder.Write("ways", std::string("way/b/c.jpg\n") + (folder / "z.jpg") + "\nin/b/../a.jpg\nin/a.jpg\n" +
                               "way/a.jpg\nin/b/c.jpg\nz.jpg\n");
  CHECK(Relatives(All(options)) == Strings{"in/a.jpg", "in/b/c.jpg", "z.jpg"});

  options.files_from = folder.Write("list0", std::string("in/n\nl.jpg\0in/a.jpg\0", 20));
  options.nul_separated = true;
  CHECK(Relatives(All(options)) == Strings{"in/a.jpg", "in/n\nl.jpg"});

  // What `find in` prints: the folder, then what is in it.
  options.nul_separated = false;
  options.files_from = folder.Write("found", "in\nin/a.jpg\nin/b\nin/b/c.jpg\n");
  CHECK(Relatives(All(options)) == Strings{"in/a.jpg", "in/b/c.jpg", "in/n\nl.jpg"});
  // Together with arguments, in one order and each file once.
  options.paths = {"z.jpg", "in/b"};
  CHECK(Paths(All(options)) == Strings{"in/a.jpg", "in/n\nl.jpg", "in/b/c.jpg", "z.jpg"});

  // A folder by another way, which sorts behind the file.
  options.paths.clear();
  for (const std::string& way : {std::string("way"), std::string("zz/../in"), std::string("./way/.")}) {
    CAPTURE(way);
    std::filesystem::create_directories(folder / "zz");
    options.files_from = folder.Write("other", "in/a.jpg\n" + folder.path() + "/in/b/c.jpg\n" + way + "\n");
    CHECK(All(options).size() == 3);
  }
  // Folders that lie in one another, with a file of the inner one: each file once, none lost.
  options.files_from = folder.Write("nested", "in/b\nin/b/c.jpg\n" + folder.path() + "/in/b/c.jpg\nway\n");
  CHECK(All(options).size() == 3);
  // What a walk passes over is taken as the list names it.
  options.recursive = false;
  options.files_from = folder.Write("flat", "in/b/c.jpg\nway\n");
  CHECK(All(options).size() == 3);
  options.recursive = true;

  options.files_from = folder.Write("bad", std::string("in\0x\n", 5));
  CHECK(Lister::Open(options).error().code == Code::kUsage);
  options.files_from = folder / "no such list";
  CHECK(Lister::Open(options).error().code == Code::kUsage);
  CHECK(ListOptions().NamesNothing());
  CHECK(!options.NamesNothing());
}

TEST_CASE("lists as editors of other systems write them") {
  const TestFolder folder;
  for (const char* name : {"a.jpg", "b c.jpg", "\xC3\xA4.jpg", "odd.jpg\r"}) folder.Write(name);
  const WorkIn here(folder.path());
  ListOptions options;
  const auto read = [&](const std::string& text) {
    options.files_from = folder.Write("list", text);
    Strings problems;
    const Strings found = Relatives(All(options, &problems));
    CHECK(problems.empty());
    return found;
  };
  const Strings three = {"a.jpg", "b c.jpg", "\xC3\xA4.jpg"};
  CHECK(read("a.jpg\r\nb c.jpg\r\n\xC3\xA4.jpg\r\n") == three);
  CHECK(read("a.jpg\r\nb c.jpg\r\n\xC3\xA4.jpg") == three);  // the last line without an end
  CHECK(read("\r\na.jpg\r\n\r\nb c.jpg\r\n\xC3\xA4.jpg\r\n") == three);
  CHECK(read("\xEF\xBB\xBF\xC3\xA4.jpg\r\nb c.jpg\r\na.jpg\r\n") == three);
  CHECK(read("\xEF\xBB\xBF"
             "a.jpg\nb c.jpg\n\xC3\xA4.jpg\n") == three);
  // A name that ends in a carriage return is one, in a list that has other line ends or none.
  CHECK(read("a.jpg\nodd.jpg\r\n") == Strings{"a.jpg", "odd.jpg\r"});
  options.nul_separated = true;
  CHECK(read(std::string("odd.jpg\r\0a.jpg\0", 15)) == Strings{"a.jpg", "odd.jpg\r"});
  CHECK(read(std::string("\xEF\xBB\xBF\xC3\xA4.jpg\0b c.jpg\0a.jpg\0", 24)) == three);
  options.nul_separated = false;
  for (const std::string& text : {std::string("\xFF\xFE"
                                              "a\0\n\0",
                                              6),
                                  std::string("\xFE\xFF\0a\0\n", 6)}) {
    options.files_from = folder.Write("list", text);
    for (const bool nul_separated : {false, true}) {
      options.nul_separated = nul_separated;
      const auto opened = Lister::Open(options);
      REQUIRE(!opened);
      CHECK(opened.error().code == Code::kReadError);
      CHECK(opened.error().message.find("UTF-16") != std::string::npos);
    }
  }
}

TEST_CASE("a list from stdin") {
  const TestFolder folder;
  folder.Write("b.jpg");
  folder.Write("a.jpg");
  const std::string list = folder.Write("list", folder / "b.jpg" + "\n" + (folder / "a.jpg") + "\n");
  const pid_t child = Fork([&] {
    if (std::freopen(list.c_str(), "r", stdin) == nullptr) ::_exit(1);
    ListOptions options;
    options.files_from = "-";
    if (CountListed(options).value() != 0) ::_exit(2);  // counting must leave stdin alone
    auto lister = Lister::Open(options);
    if (!lister) ::_exit(3);
    if ((*lister)->Next()->path != folder / "a.jpg" || (*lister)->Next()->path != folder / "b.jpg")
      ::_exit(4);
  });
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("the output folder below the input is left out") {
  const TestFolder folder;
  folder.Write("in/a.jpg");
  folder.Write("in/out/a.jpg");
  ListOptions options = Of({folder / "in"});
  options.leave_out = {folder / "in/../in/out", folder / "not yet there"};
  CHECK(Relatives(All(options)) == Strings{"a.jpg"});
}

TEST_CASE("what is named in a folder that is left out is listed, once") {
  const TestFolder folder;
  for (const char* name : {"in/a.jpg", "in/out/b.jpg", "in/out/sub/c.jpg", "in/out/sub/d.jpg"})
    folder.Write(name);
  ListOptions options = Of({folder / "in"});
  options.leave_out = {folder / "in/out"};
  folder.Write("list", folder / "in/a.jpg" + "\n" + folder / "in/out/sub/c.jpg\n");
  options.files_from = folder / "list";
  CHECK(Paths(All(options)) == Strings{folder / "in/a.jpg", folder / "in/out/sub/c.jpg"});
  folder.Write("list", folder / "in/out/sub\n" + folder / "in/out/sub/c.jpg\n");
  CHECK(Paths(All(options)) ==
        Strings{folder / "in/a.jpg", folder / "in/out/sub/c.jpg", folder / "in/out/sub/d.jpg"});
  options.files_from.clear();
  options.paths = {folder / "in", folder / "in/out/b.jpg", folder / "in/out/sub"};
  CHECK(Paths(All(options)) == Strings{folder / "in/a.jpg", folder / "in/out/b.jpg",
                                       folder / "in/out/sub/c.jpg", folder / "in/out/sub/d.jpg"});
}

TEST_CASE("sorting in small memory equals sorting in large") {
  std::mt19937 random(3);
  for (const size_t run_bytes : {size_t{64}, size_t{3000}, size_t{1} << 20}) {
    CAPTURE(run_bytes);
    SortedPaths sorted(run_bytes);
    std::set<std::string> expected;
    for (int i = 0; i < 5000; ++i) {
      std::string path = std::to_string(random() % 3000);
      if (random() % 50 == 0) path += std::string(random() % 500, '\xFF');
      REQUIRE(sorted.Add(path));
      expected.insert(path);
    }
    REQUIRE(sorted.Finish());
    Strings out;
    while (true) {
      auto next = sorted.Next();
      REQUIRE(next);
      if (!*next) break;
      out.push_back(**next);
    }
    CHECK(out == Strings(expected.begin(), expected.end()));
  }
}

TEST_CASE("a hundred thousand files are listed in little memory") {
  // In memory where there is such a place: making the files is the slow part.
  const bool in_memory = ::access("/dev/shm", W_OK) == 0;
  const TestFolder folder(in_memory ? "/dev/shm" : std::filesystem::temp_directory_path().string());
  for (int i = 0; i < 100'000; ++i) {
    const int fd =
        ::open((folder / ("some-photo-with-a-name-of-usual-length-" + std::to_string(i) + ".jpg")).c_str(),
               O_CREAT | O_WRONLY, 0600);
    REQUIRE(fd >= 0);
    ::close(fd);
  }
  const auto resident_kib = [] {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
    }
    return 0L;
  };
  const pid_t child = Fork([&] {
    const long before = resident_kib();
    auto lister = Lister::Open(Of({folder.path()}));
    long most = 0;
    uint64_t count = 0;
    while ((*lister)->Next()) {
      if (count++ % 1000 == 0) most = std::max(most, resident_kib());
    }
    if (count != 100'000) ::_exit(255);
    ::_exit(static_cast<int>(std::min(254L, (most - before) / 1024)));
  });
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  const int mib = WEXITSTATUS(status);
  MESSAGE("resident growth in MiB: " << mib);
  // 100,000 names of 49 bytes and offsets of 4: 5.3 MB, doubled while an array grows.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  CHECK(mib <= 100);  // a sanitizer holds back what was freed
#else
  CHECK(mib <= 14);
#endif
}

TEST_CASE("patterns, by hand after the rules in listing.h") {
  const std::vector<std::tuple<std::string, std::string, bool>> cases = {
      {"*.jpg", "a.jpg", true},
      {"*.jpg", "a.png", false},
      {"*.jpg", "d/a.jpg", false},
      {"**.jpg", "d/a.jpg", true},
      {"train/**", "train/a/b", true},
      {"train/**", "train", false},
      {"train/**", "xtrain/a", false},
      {"**/a.jpg", "a.jpg", true},
      {"**/a.jpg", "x/y/a.jpg", true},
      {"**/a.jpg", "xa.jpg", false},
      {"x/**/y", "x/y", true},
      {"x/**/y", "x/a/b/y", true},
      {"x/**/y", "x/ay", false},
      {"?.jpg", "\xC3\xA9.jpg", true},
      {"?.jpg", "\xE9.jpg", true},
      {"??.jpg", "\xC3\xA9.jpg", false},
      {"?", "/", false},
      {"[a-c]x", "bx", true},
      {"[!a-c]x", "bx", false},
      {"[!a-c]x", "dx", true},
      {"[]]", "]", true},
      {"[", "[", true},
      {"[ab", "[ab", true},
      {"\\*", "*", true},
      {"\\*", "a", false},
      {"", "", true},
      {"*", "", true},
      {"**", "a/b", true},
      {"a*b*c", "aXbYbZc", true},
      {"a*b*c", "aXbY", false},
      {"[^/]", "/", false},
      {"a**b", "a/x/b", true},
      {"**/", "a/", true},
  };
  for (const auto& [pattern, path, expected] : cases) {
    CAPTURE(pattern);
    CAPTURE(path);
    CHECK(PathGlob(pattern).Matches(path) == expected);
  }
  // Exponential for a matcher that backtracks.
  CHECK(!PathGlob("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b").Matches(std::string(2000, 'a')));
}

TEST_CASE("include and exclude choose files and folders") {
  const TestFolder folder;
  for (const char* name : {"a.jpg", "a.png", "train/b.jpg", "train/cache/c.jpg", "cache/d.jpg", "cache.jpg"})
    folder.Write(name);
  const auto list = [&](Strings include, Strings exclude) {
    ListOptions options = Of({folder.path()});
    options.include = std::move(include);
    options.exclude = std::move(exclude);
    return Relatives(All(options));
  };
  CHECK(list({"*.jpg"}, {}) ==
        Strings{"a.jpg", "cache.jpg", "cache/d.jpg", "train/b.jpg", "train/cache/c.jpg"});
  CHECK(list({"train/**"}, {}) == Strings{"train/b.jpg", "train/cache/c.jpg"});
  CHECK(list({"train/"}, {}) == Strings{"train/b.jpg", "train/cache/c.jpg"});
  CHECK(list({}, {"cache/"}) == Strings{"a.jpg", "a.png", "cache.jpg", "train/b.jpg"});
  CHECK(list({}, {"/cache/", "*.png"}) == Strings{"a.jpg", "cache.jpg", "train/b.jpg", "train/cache/c.jpg"});
  CHECK(list({"*.jpg", "*.png"}, {"a.*"}) ==
        Strings{"cache.jpg", "cache/d.jpg", "train/b.jpg", "train/cache/c.jpg"});
  CHECK(list({"/*"}, {}) == Strings{"a.jpg", "a.png", "cache.jpg"});
}
