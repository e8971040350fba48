"""Owns plain sentences about people, animals and things, made by rule in English and Russian at once.

Everything here was written for this model. A sentence is who, does what, where or how; Russian verbs in the present
tense agree in number only, so a phrase needs two forms. Pairs with one part changed come out near, but not equal, in
meaning: what a model of similarity has to tell apart.
"""
import random

# English; Russian; plural?
WHO = """
a man;мужчина;0|a woman;женщина;0|a boy;мальчик;0|a girl;девочка;0|a child;ребёнок;0|a baby;младенец;0
a young man;молодой человек;0|an old man;старик;0|an old woman;пожилая женщина;0|a teenager;подросток;0
two men;двое мужчин;1|two women;две женщины;1|two boys;два мальчика;1|two girls;две девочки;1
three children;трое детей;1|a group of people;группа людей;0|many people;много людей;0|people;люди;1|children;дети;1
men;мужчины;1|women;женщины;1|students;студенты;1|tourists;туристы;1|workers;рабочие;1|soldiers;солдаты;1
a dog;собака;0|a cat;кошка;0|a horse;лошадь;0|a cow;корова;0|a monkey;обезьяна;0|a bear;медведь;0|a kitten;котёнок;0
a puppy;щенок;0|a bird;птица;0|two dogs;две собаки;1|two cats;две кошки;1|dogs;собаки;1|birds;птицы;1|a panda;панда;0
a black dog;чёрная собака;0|a white dog;белая собака;0|a brown dog;коричневая собака;0|a white cat;белая кошка;0
a tiger;тигр;0|an elephant;слон;0|a rabbit;кролик;0|a lion;лев;0|a fish;рыба;0|a mouse;мышь;0|a duck;утка;0|a goat;коза;0
a doctor;врач;0|a teacher;учитель;0|a policeman;полицейский;0|a cook;повар;0|a soldier;солдат;0|a singer;певец;0
a musician;музыкант;0|an athlete;спортсмен;0|a football player;футболист;0|a farmer;фермер;0|a student;студент;0
a bride;невеста;0|a couple;пара;0|a family;семья;0|a crowd;толпа;0|a cyclist;велосипедист;0|a driver;водитель;0
a man in a red shirt;мужчина в красной рубашке;0|a woman in a blue dress;женщина в синем платье;0|a lady;дама;0
a man in a hat;мужчина в шляпе;0|a woman with long hair;женщина с длинными волосами;0|a girl in pink;девочка в розовом;0
a boy in a yellow jacket;мальчик в жёлтой куртке;0|a bald man;лысый мужчина;0|a blond woman;блондинка;0|a kid;малыш;0
a person;человек;0|someone;кто-то;0|a mother;мать;0|a father;отец;0|friends;друзья;1|a fat man;толстый мужчина;0
"""

# English (after is/are); Russian singular; Russian plural
DOES = """
playing a guitar;играет на гитаре;играют на гитаре|playing the piano;играет на пианино;играют на пианино
playing the flute;играет на флейте;играют на флейте|playing the violin;играет на скрипке;играют на скрипке
playing the drums;играет на барабанах;играют на барабанах|playing football;играет в футбол;играют в футбол
playing basketball;играет в баскетбол;играют в баскетбол|playing chess;играет в шахматы;играют в шахматы
playing cards;играет в карты;играют в карты|playing tennis;играет в теннис;играют в теннис|playing with a ball;играет с мячом;играют с мячом
playing with a toy;играет с игрушкой;играют с игрушкой|playing a video game;играет в видеоигру;играют в видеоигру
singing a song;поёт песню;поют песню|dancing;танцует;танцуют|running;бежит;бегут|walking;идёт;идут|jumping;прыгает;прыгают
swimming;плавает;плавают|sleeping;спит;спят|sitting;сидит;сидят|standing;стоит;стоят|lying down;лежит;лежат|laughing;смеётся;смеются
smiling;улыбается;улыбаются|crying;плачет;плачут|talking;разговаривает;разговаривают|talking on the phone;говорит по телефону;говорят по телефону
reading a book;читает книгу;читают книгу|reading a newspaper;читает газету;читают газету|writing a letter;пишет письмо;пишут письмо
drawing a picture;рисует картину;рисуют картину|painting a wall;красит стену;красят стену|taking a photo;фотографирует;фотографируют
watching television;смотрит телевизор;смотрят телевизор|looking at the camera;смотрит в камеру;смотрят в камеру
looking out of the window;смотрит в окно;смотрят в окно|listening to music;слушает музыку;слушают музыку
eating an apple;ест яблоко;едят яблоко|eating meat;ест мясо;едят мясо|eating bread;ест хлеб;едят хлеб|eating grass;ест траву;едят траву
drinking water;пьёт воду;пьют воду|drinking milk;пьёт молоко;пьют молоко|drinking beer;пьёт пиво;пьют пиво|drinking coffee;пьёт кофе;пьют кофе
cooking dinner;готовит ужин;готовят ужин|cutting an onion;режет лук;режут лук|slicing a potato;нарезает картофель;нарезают картофель
cutting paper;режет бумагу;режут бумагу|peeling a carrot;чистит морковь;чистят морковь|slicing a tomato;нарезает помидор;нарезают помидор
mixing eggs in a bowl;смешивает яйца в миске;смешивают яйца в миске|pouring oil into a pan;наливает масло на сковороду;наливают масло на сковороду
frying fish;жарит рыбу;жарят рыбу|boiling rice;варит рис;варят рис|adding salt to the soup;добавляет соль в суп;добавляют соль в суп
baking a cake;печёт торт;пекут торт|washing dishes;моет посуду;моют посуду|washing a car;моет машину;моют машину|cleaning the floor;моет пол;моют пол
riding a horse;едет на лошади;едут на лошади|riding a bicycle;едет на велосипеде;едут на велосипеде
riding a motorcycle;едет на мотоцикле;едут на мотоцикле|driving a car;ведёт машину;ведут машину|flying a kite;запускает воздушного змея;запускают воздушного змея
skiing;катается на лыжах;катаются на лыжах|skating;катается на коньках;катаются на коньках|surfing;катается на сёрфе;катаются на сёрфе
climbing a tree;лезет на дерево;лезут на дерево|climbing a mountain;поднимается на гору;поднимаются на гору|climbing a rope;лезет по канату;лезут по канату
catching a ball;ловит мяч;ловят мяч|throwing a stone;бросает камень;бросают камень|kicking a ball;бьёт по мячу;бьют по мячу
hitting a ball with a bat;бьёт битой по мячу;бьют битой по мячу|chasing a cat;гонится за кошкой;гонятся за кошкой|barking;лает;лают
carrying a box;несёт коробку;несут коробку|carrying a bag;несёт сумку;несут сумку|holding a baby;держит младенца;держат младенца
holding an umbrella;держит зонт;держат зонт|holding flowers;держит цветы;держат цветы|opening a door;открывает дверь;открывают дверь
closing a window;закрывает окно;закрывают окно|breaking a glass;разбивает стакан;разбивают стакан|lifting weights;поднимает тяжести;поднимают тяжести
putting on a coat;надевает пальто;надевают пальто|taking off a hat;снимает шляпу;снимают шляпу|wearing a helmet;носит шлем;носят шлем
brushing hair;расчёсывает волосы;расчёсывают волосы|brushing teeth;чистит зубы;чистят зубы|buying fruit;покупает фрукты;покупают фрукты
selling vegetables;продаёт овощи;продают овощи|counting money;считает деньги;считают деньги|working;работает;работают|resting;отдыхает;отдыхают
working on a computer;работает за компьютером;работают за компьютером|typing on a keyboard;печатает на клавиатуре;печатают на клавиатуре
fixing a bicycle;чинит велосипед;чинят велосипед|building a house;строит дом;строят дом|digging a hole;копает яму;копают яму
planting a tree;сажает дерево;сажают дерево|feeding a horse;кормит лошадь;кормят лошадь|feeding birds;кормит птиц;кормят птиц
petting a dog;гладит собаку;гладят собаку|walking a dog;выгуливает собаку;выгуливают собаку|waiting for a bus;ждёт автобус;ждут автобус
crossing the street;переходит улицу;переходят улицу|shooting a gun;стреляет из ружья;стреляют из ружья|fighting;дерётся;дерутся
hugging a friend;обнимает друга;обнимают друга|kissing a child;целует ребёнка;целуют ребёнка|waving a flag;машет флагом;машут флагом
giving a speech;произносит речь;произносят речь|teaching a lesson;ведёт урок;ведут урок|asking a question;задаёт вопрос;задают вопрос
speaking to a crowd;выступает перед толпой;выступают перед толпой|smoking a cigarette;курит сигарету;курят сигарету
falling;падает;падают|flying;летит;летят|exercising;делает упражнения;делают упражнения|sewing a dress;шьёт платье;шьют платье
"""

WHERE = """
in the park;в парке|on the beach;на пляже|in the street;на улице|in the kitchen;на кухне|in the snow;в снегу|on the grass;на траве
in the water;в воде|in a field;в поле|at the table;за столом|on a bench;на скамейке|on the stage;на сцене|in the forest;в лесу
in a room;в комнате|on the sofa;на диване|on a bed;на кровати|near the river;у реки|by the sea;у моря|at school;в школе
in a restaurant;в ресторане|in front of a building;перед зданием|at the station;на вокзале|on the roof;на крыше|in a garden;в саду
in a pool;в бассейне|on a mountain;на горе|at night;ночью|in the morning;утром|in the rain;под дождём|under a tree;под деревом
in an office;в офисе|in a shop;в магазине|at the market;на рынке|on a boat;в лодке|in a car;в машине|in a hospital;в больнице
on the road;на дороге|on a bridge;на мосту|behind a fence;за забором|at a party;на вечеринке|in the city;в городе|at home;дома
quickly;быстро|slowly;медленно|outdoors;на открытом воздухе|together;вместе|alone;в одиночестве|with a smile;с улыбкой
"""

# Things that are somewhere: English with article; Russian.
THINGS = """
a red car;красная машина|a blue car;синяя машина|an old bus;старый автобус|a train;поезд|a plane;самолёт|a boat;лодка|a ship;корабль
a bicycle;велосипед|a wooden table;деревянный стол|a white chair;белый стул|a bottle of wine;бутылка вина|a cup of coffee;чашка кофе
a bowl of soup;миска супа|a plate of food;тарелка с едой|a computer;компьютер|a phone;телефон|a book;книга|a lamp;лампа|a clock;часы
a big tree;большое дерево|a flower;цветок|a house;дом|a church;церковь|a tower;башня|a fire;огонь|a statue;статуя|a flag;флаг|snow;снег
"""


def read(table: str) -> list[list[str]]:
    return [entry.strip().split(";") for line in table.strip().splitlines() for entry in line.split("|") if entry.strip()]


WHO_ROWS, DOES_ROWS, WHERE_ROWS, THING_ROWS = read(WHO), read(DOES), read(WHERE), read(THINGS)


def finished(sentence: str, stop: bool) -> str:
    return sentence[0].upper() + sentence[1:] + ("." if stop else "")


def caption(random_: random.Random) -> tuple[str, str]:
    """One sentence in both languages."""
    stop = random_.random() < 0.7
    english_place, russian_place = random_.choice(WHERE_ROWS)
    if random_.random() < 0.12:
        english, russian = random_.choice(THING_ROWS)
        pair = (f"there is {english} {english_place}", f"{russian} {russian_place}")
    else:
        who, russian_who, plural = random_.choice(WHO_ROWS)
        does, singular_form, plural_form = random_.choice(DOES_ROWS)
        be = "are" if plural == "1" or who == "many people" else "is"
        russian = f"{russian_who} {plural_form if plural == '1' else singular_form}"
        pair = (f"{who} {be} {does}", russian)
        if random_.random() < 0.5:
            pair = (f"{pair[0]} {english_place}", f"{pair[1]} {russian_place}")
    return finished(pair[0], stop), finished(pair[1], stop)


def captions(count: int, seed: int) -> list[tuple[str, str]]:
    random_ = random.Random(seed)
    made: dict[str, str] = {}
    while len(made) < count:
        english, russian = caption(random_)
        made[english] = russian
    return list(made.items())


def lexicon() -> list[tuple[str, str]]:
    """The phrases by themselves, as pairs."""
    pairs = [(row[0], row[1]) for rows in (WHO_ROWS, WHERE_ROWS, THING_ROWS) for row in rows]
    return pairs + [(row[0], row[1]) for row in DOES_ROWS]
