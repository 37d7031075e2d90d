"""Solutions of GSM8K (MIT licence) with their calculator marks, as they are in its training part; one of our own."""

from __future__ import annotations

from irl_core.learning.data.demonstrations import Demonstration

CLIPS = Demonstration(
    "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May."
    " How many clips did Natalia sell altogether in April and May?",
    "Natalia sold 48/2 = <<48/2=24>>24 clips in May.\n"
    "Natalia sold 48+24 = <<48+24=72>>72 clips altogether in April and May.\n#### 72",
    "gsm8k",
)
READING = Demonstration(
    "Ann has 120 pages to read. She read 30 pages yesterday and 50% more today. Each page takes 4 minutes."
    " How many hours does she need for the rest?",
    "Today she read 50% of 30 = <<50*.01*30=15>>15 pages more.\n"
    "So she read 30 pages + 15 pages = <<30+15=45>>45 pages today.\n"
    "There are 120 - 30 - 45 = <<120-30-45=45>>45 pages left.\n"
    "They take 45 * 4 = <<45*4=180>>180 minutes.\n"
    "That is 180/60 = <<180/60=3>>3 hours.\n#### 3",
    "made",
)
WALLET = Demonstration(
    "Betty is saving money for a new wallet which costs $100. Betty has only half of the money she needs. Her parents"
    " decided to give her $15 for that purpose, and her grandparents twice as much as her parents. How much more money"
    " does Betty need to buy the wallet?",
    "In the beginning, Betty has only 100 / 2 = $<<100/2=50>>50.\n"
    "Betty's grandparents gave her 15 * 2 = $<<15*2=30>>30.\n"
    "This means, Betty needs 100 - 50 - 30 - 15 = $<<100-50-30-15=5>>5 more.\n#### 5",
    "gsm8k",
)
GARDEN = Demonstration(
    "Mark has a garden with flowers. He planted plants of three different colors in it. Ten of them are yellow, and"
    " there are 80% more of those in purple. There are only 25% as many green flowers as there are yellow and purple"
    " flowers. How many flowers does Mark have in his garden?",
    "There are 80/100 * 10 = <<80/100*10=8>>8 more purple flowers than yellow flowers.\n"
    "So in Mark's garden, there are 10 + 8 = <<10+8=18>>18 purple flowers.\n"
    "Purple and yellow flowers sum up to 10 + 18 = <<10+18=28>>28 flowers.\n"
    "That means in Mark's garden there are 25/100 * 28 = <<25/100*28=7>>7 green flowers.\n"
    "So in total Mark has 28 + 7 = <<28+7=35>>35 plants in his garden.\n#### 35",
    "gsm8k",
)
COFFEE = Demonstration(
    "Jon buys 2 coffees a day from his favorite coffee shop.  They cost $2 each.  How much does he spend in April?",
    "He spends 2*$2=$<<2*2=4>>4 per day\nApril has 30 days so he spends $4*30=$<<4*30=120>>120\n#### 120",
    "gsm8k",
)
POINTS = Demonstration(
    "Yolanda scored 345 points over the entire season. There were 15 games over the season. She averaged 4 free throws"
    " (worth one point), and 5 two-point baskets per game. How many three-point baskets did she average a game?",
    "She averaged 23 points per game because 345 / 15 = <<345/15=23>>23\n"
    "She averaged 10 points a game off two-point baskets because 5 x 2 = <<5*2=10>>10\n"
    "She averaged 4 points a game from free throws because 4 x 1 = <<4*1=4>>4\n"
    "She averaged 14 points a game off non-three point baskets because 10 + 4 = <<10+4=14>>14\n"
    "She averaged 9 points from three-pointers because 23 - 14 = <<23-14=9>>9\n"
    "She averaged 3 three-pointers a game because 9 / 3 = <<9/3=3>>3\n#### 3",
    "gsm8k",
)
BEEF = Demonstration(
    "John orders food for a massive restaurant.  He orders 1000 pounds of beef for $8 per pound.  He also orders twice"
    " that much chicken at $3 per pound.  How much did everything cost?",
    "The beef cost $8*1000=$<<8*1000=8000>>8000\nHe buys 1000*2=<<1000*2=2000>>2000 pounds of chicken\n"
    "So the chicken cost 2000*$3=$<<2000*3=6000>>6000\n"
    "So the total cost is $8000+$6000=$<<8000+6000=14000>>14,000\n#### 14000",
    "gsm8k",
)
SAMPLE = [CLIPS, WALLET, GARDEN, COFFEE, POINTS, BEEF, READING]
