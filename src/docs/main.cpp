// imgmill_write_docs FOLDER: writes the manual pages and completions that an installation brings into a
// folder.
#include <sys/stat.h>

#include <cstdio>
#include <fstream>

#include "pages.h"

namespace {

bool Write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) std::fprintf(stderr, "imgmill_write_docs: cannot write %s\n", path.c_str());
  return static_cast<bool>(file);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace imgmill;
  if (argc != 2) {
    std::fprintf(stderr, "usage: imgmill_write_docs FOLDER\n");
    return 2;
  }
  const std::string folder = argv[1];
  for (const char* part : {"", "/man1", "/bash", "/zsh", "/fish"}) ::mkdir((folder + part).c_str(), 0777);
  const std::vector<CommandFacts> commands = AllCommandFacts();
  bool written = Write(folder + "/man1/imgmill.1", ProgramManPage(commands));
  for (const CommandFacts& command : commands)
    written &= Write(folder + "/man1/imgmill-" + command.name + ".1", CommandManPage(command));
  written &= Write(folder + "/bash/imgmill", BashCompletion(commands));
  written &= Write(folder + "/zsh/_imgmill", ZshCompletion(commands));
  written &= Write(folder + "/fish/imgmill.fish", FishCompletion(commands));
  return written ? 0 : 3;
}
