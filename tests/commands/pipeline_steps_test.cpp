// What a step of a pipeline is given by a step that has moved files, and what the document says of both.
#include <doctest/doctest.h>

#include <fstream>

#include "commands/drawn_picture.h"
#include "program.h"

namespace imgmill::process_test {

TEST_CASE("a step after a move is given the files where they are, under the names that were free") {
  const TestFolder where;
  const auto draw = [](int shade) {
    return Draw(64, 64, 1, [shade](int64_t x, int64_t y, int) {
      return static_cast<double>((x / 8 * 31 + y / 8 * 57 + shade * 91) % 256);
    });
  };
  for (int i = 1; i <= 3; ++i) WritePicture(where / ("photos/" + std::to_string(i) + ".png"), draw(i));
  WritePicture(where / "photos/small.png", Draw(8, 8, 1, [](int64_t, int64_t, int) { return 7; }));
  WritePicture(where / "kept/2.png", draw(9));  // is there already, and stays
  std::ofstream(where / "steps.yaml")
      << "input: photos\noutput: out\nsteps:\n"
         "  - filter: {keep: [\"width>=64\"], action: move, to: kept, act-on: kept}\n"
         "  - embed: {export: vectors.jsonl}\n";
  const ProcessResult ran =
      Run({"run", where / "steps.yaml", "--json", "--report-page", where / "page.html"});
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  const nlohmann::json steps = Json(ran)["steps"];
  CHECK(steps[0]["acted"] == 3);
  CHECK(steps[0]["kept"] == 3);
  CHECK(steps[0]["dropped"] == 1);
  CHECK(steps[1]["listed"] == 3);
  std::vector<std::string> names;
  std::ifstream vectors(steps[1]["exported"][0].get<std::string>());
  for (std::string line; std::getline(vectors, line);)
    names.push_back(std::filesystem::path(nlohmann::json::parse(line)["path"].get<std::string>()).filename());
  CHECK(names == std::vector<std::string>{"1.png", "2-2.png", "3.png"});
  // The page follows the files: all three went through both steps, and are shown and linked where they are.
  std::ifstream page_file(where / "page.html");
  const std::string page{std::istreambuf_iterator<char>(page_file), {}};
  const auto count = [&](const std::string& text) {
    size_t found = 0;
    for (size_t at = page.find(text); at != std::string::npos; at = page.find(text, at + 1)) ++found;
    return found;
  };
  CHECK(count("embed: <b>kept</b>") == 3);
  CHECK(count("href=\"kept/2-2.png\"") == 1);
  CHECK(count("no thumbnail") == 0);
  // Each field once, though step and command both have it.
  const size_t filter = ran.out.find("\"step\": \"filter\"");
  const size_t embed = ran.out.find("\"step\": \"embed\"");
  REQUIRE(filter < embed);
  const std::string first = ran.out.substr(filter, embed - filter);
  CHECK(first.find("\"kept\": ") == first.rfind("\"kept\": "));
}

}  // namespace imgmill::process_test
