// Draws sample_data/: every picture in it, the same bytes each time. README.md there says what each is for.
//
// Usage: draw_sample_data FOLDER
#include <cstdio>
#include <exception>
#include <opencv2/imgproc.hpp>
#include <string>

#include "picture_files.h"
#include "scenes.h"

namespace {

using namespace sample;

// Every scene has a seed of its own, so that a change to one leaves the others as they are.
constexpr uint64_t kSeed = 20240612;

cv::Mat Drawn(cv::Mat (*scene)(Random), uint64_t number) {
  return Shrunk(scene(Random(kSeed + number)), 0.5);
}

void DrawScenes(const std::string& folder) {
  Save(folder + "/poster.png", Png(Drawn(Poster, 1)));
  Save(folder + "/tartan.jpg", Jpeg(Drawn(Tartan, 2), 90));
  Save(folder + "/contour_map.png", Png(Drawn(ContourMap, 3)));
  Save(folder + "/tiled_floor.jpg", Jpeg(Drawn(TiledFloor, 4), 92));
  Save(folder + "/marble.jpg", Jpeg(Drawn(Marble, 5), 88));
  Save(folder + "/meadow.jpg", Jpeg(Drawn(Meadow, 6), 90));
  Save(folder + "/forest.jpg", Jpeg(Drawn(Forest, 7), 90));
  Save(folder + "/holiday/dunes.jpg", Jpeg(Drawn(Dunes, 8), 90));
}

void DrawDuplicates(const std::string& folder) {
  const cv::Mat harbour = Drawn(Harbour, 10);
  Save(folder + "/harbour.jpg", Jpeg(harbour, 92));
  Save(folder + "/harbour_copy.jpg", Jpeg(harbour, 92));
  Save(folder + "/harbour_q30.jpg", Jpeg(harbour, 30));
  Save(folder + "/holiday/harbour.jpg", Jpeg(Shrunk(harbour, 0.75), 85));

  const cv::Mat mountains = Drawn(Mountains, 11);
  Save(folder + "/mountains.jpg", Jpeg(mountains, 92));
  Save(folder + "/mountains_half.jpg", Jpeg(Shrunk(mountains, 0.5), 90));

  const cv::Mat citrus = Drawn(Citrus, 12);
  Save(folder + "/citrus.jpg", Jpeg(citrus, 92));
  Save(folder + "/citrus_cropped.jpg", Jpeg(Cropped(citrus, 0.03), 92));

  const cv::Mat balloons = Drawn(Balloons, 13);
  Save(folder + "/balloons.png", Png(balloons));
  Save(folder + "/balloons.webp", WebP(balloons, 75));

  const cv::Mat lighthouse = Drawn(Lighthouse, 14);
  cv::Mat upside_down;
  cv::rotate(lighthouse, upside_down, cv::ROTATE_180);
  Save(folder + "/lighthouse.jpg", Jpeg(lighthouse, 92));
  Save(folder + "/lighthouse_exif3.jpg", WithOrientation(Jpeg(upside_down, 80), 3));

  const cv::Mat clock = Drawn(Clock, 15);
  cv::Mat blurred;
  cv::GaussianBlur(clock, blurred, {0, 0}, 3);
  Save(folder + "/clock.jpg", Jpeg(clock, 92));
  Save(folder + "/clock_blurred.jpg", Jpeg(blurred, 92));
}

void DrawUnusual(const std::string& folder) {
  // Stored lying on its side; orientation 6 says: turn it clockwise to look at it.
  cv::Mat lying;
  cv::rotate(Drawn(Windmill, 20), lying, cv::ROTATE_90_COUNTERCLOCKWISE);
  Save(folder + "/windmill_exif6.jpg", WithOrientation(Jpeg(lying, 90), 6));

  Save(folder + "/skyline_dark.jpg", Jpeg(Drawn(Skyline, 21), 90));
  Save(folder + "/bookshelf_blocky.jpg", Jpeg(Drawn(Bookshelf, 22), 8));
  cv::Mat street;
  cv::GaussianBlur(Drawn(StreetLights, 23), street, {0, 0}, 5);
  Save(folder + "/street_blurred.jpg", Jpeg(street, 90));

  cv::Mat grey;
  cv::cvtColor(Drawn(Newspaper, 24), grey, cv::COLOR_BGR2GRAY);
  Save(folder + "/newspaper_grey.png", Png(grey));
  const cv::Mat badge = Drawn(Badge, 25);
  Save(folder + "/badge_alpha.png", Png(badge));
  Save(folder + "/dawn_16bit.png", Png(Drawn(Dawn, 26)));

  cv::Mat icon;
  cv::resize(Smile(), icon, {24, 24}, 0, 0, cv::INTER_AREA);
  Save(folder + "/icon_tiny.png", Png(icon));
}

void DrawBroken(const std::string& folder) {
  const Bytes whole = Jpeg(Drawn(Harbour, 30), 90);
  Save(folder + "/truncated.jpg",
       Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * 6 / 10)));
  const std::string text =
      "This is a text file whose name ends in .jpg: it is listed, cannot be decoded, and is reported as "
      "failed.\n";
  Save(folder + "/not_an_image.jpg", Bytes(text.begin(), text.end()));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: draw_sample_data FOLDER\n");
    return 2;
  }
  try {
    DrawScenes(argv[1]);
    DrawDuplicates(argv[1]);
    DrawUnusual(argv[1]);
    DrawBroken(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "draw_sample_data: %s\n", error.what());
    return 1;
  }
  return 0;
}
